package job

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"unicode/utf8"
)

// Parse reads a job spec and checks it against [Schema] and by [Spec.Validate]. Its error is an
// [*Error] that names the first faulty field, or the line and column where the document is no JSON.
func Parse(data []byte) (*Spec, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, Errorf("", "job spec is empty")
	}
	// encoding/json would put a replacement character in the place of such bytes, and so change names.
	if !utf8.Valid(data) {
		return nil, Errorf("", "job spec is not in UTF-8: save it in that encoding")
	}
	var document any
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, syntaxError(data, err)
	}
	if err := checkVersion(document); err != nil {
		return nil, err
	}
	if err := conform(schemas().root, document); err != nil {
		return nil, err
	}
	spec := new(Spec)
	if err := json.Unmarshal(data, spec); err != nil {
		return nil, syntaxError(data, err)
	}
	if err := compactProps(&spec.Config); err != nil {
		return nil, err
	}
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	return spec, nil
}

// checkVersion refuses the spec of a newer helios. It goes before the schema: what a newer version changed would only confuse there.
func checkVersion(document any) error {
	object, ok := document.(map[string]any)
	if !ok {
		return Errorf("", "job spec must be a JSON object")
	}
	version, ok := object["version"].(float64)
	if ok && version == math.Trunc(version) && version > Version {
		return Errorf("", "job spec has version %.0f, this helios reads up to %d; update helios", version, Version)
	}
	return nil
}

// syntaxError turns an error of encoding/json into one that says where in the document it is.
func syntaxError(data []byte, err error) error {
	var (
		syntax   *json.SyntaxError
		mismatch *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &syntax):
		line, column := position(data, syntax.Offset)
		return Errorf("", "job spec is no valid JSON: line %d, column %d: %s", line, column, syntax)
	case errors.As(err, &mismatch):
		// The schema has checked the types: what is left is a number in a form that Go does not read.
		literal := strings.TrimPrefix(mismatch.Value, "number ")
		start := bytes.LastIndex(data[:mismatch.Offset], []byte(literal))
		line, column := position(data, int64(start)+1)
		return Errorf("", "job spec, line %d, column %d: %.40s is out of range or no plain whole number; write it like 1920",
			line, column, literal)
	}
	return err
}

// position returns the line and column, both counted from 1, of the character that ends at an offset.
func position(data []byte, offset int64) (line, column int) {
	before := data[:min(max(offset-1, 0), int64(len(data)))]
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[lineStart:]) + 1
}

// compactProps takes the indentation out of the props, which the document's own has changed.
func compactProps(c *Config) error {
	if len(c.Props) == 0 {
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, c.Props); err != nil {
		return err
	}
	c.Props = compact.Bytes()
	return nil
}
