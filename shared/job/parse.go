package job

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// Parse parses a job spec and validates it against [Schema] and with [Spec.Validate]. The error is an [*Error] with the
// first invalid field, or with the line and column of a syntax error.
func Parse(data []byte) (*Spec, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, Errorf("", "job spec is empty")
	}
	// encoding/json would replace invalid bytes, which changes file names.
	if !utf8.Valid(data) {
		return nil, Errorf("", "job spec is not in UTF-8; save it in that encoding")
	}
	var document any
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, syntaxError(data, err)
	}
	if err := checkVersion(document); err != nil {
		return nil, err
	}
	if err := checkSchema(schemas().root, document); err != nil {
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

// Encode writes the spec as indented JSON. It does not escape & and <, which keeps commands readable.
func (s *Spec) Encode(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(s)
}

// checkVersion rejects specs of newer versions of Helios. Parse calls it before it uses the schema, which would only
// report unknown fields.
func checkVersion(document any) error {
	object, ok := document.(map[string]any)
	if !ok {
		return Errorf("", "job spec must be a JSON object")
	}
	version, ok := object["version"].(float64)
	if ok && version == math.Trunc(version) && version > Version {
		return Errorf("", "job spec has version %.0f, but this helios supports only versions up to %d; update helios",
			version, Version)
	}
	return nil
}

// syntaxError converts an error of encoding/json into one with the position in the document.
func syntaxError(data []byte, err error) error {
	var (
		syntax   *json.SyntaxError
		mismatch *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &syntax):
		line, column := position(data, syntax.Offset)
		return Errorf("", "job spec is not valid JSON: line %d, column %d: %s", line, column, syntax)
	case errors.As(err, &mismatch):
		// The schema has validated the types, so the value is a number in a notation that Go does not accept.
		literal := strings.TrimPrefix(mismatch.Value, "number ")
		start := bytes.LastIndex(data[:mismatch.Offset], []byte(literal))
		line, column := position(data, int64(start)+1)
		return Errorf("", "job spec, line %d, column %d: %.40s is out of range or not a plain integer; write it like 1920",
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

// compactProps removes insignificant space from the props. [Spec.Encode] indents them with the document.
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
