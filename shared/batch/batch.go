// Package batch reads the rows of a batch. Each row renders a composition with its own props to its own output.
//
// # Rows
//
// [Read] reads the rows of a file:
//
//   - CSV: the first line contains the names of the fields, and all values are strings.
//   - JSON: an array of objects.
//   - JSONL: one object per line.
//
// # Use
//
// [Row.Props] merges the fields of a row into the props of the page. [Names] replaces {{field}} in the name of the
// output by the value of the row.
package batch

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"helios/shared/fault"
)

// Row contains the fields of a row by name.
type Row map[string]json.RawMessage

// Read reads all rows of a .csv, .json or .jsonl file. It returns at least one row, or a user error. Errors in .json
// files contain the number of the row, counted from 0; errors in other files, the number of the line, counted from 1.
func Read(file string) ([]Row, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Userf("reading the rows: %w", err)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var rows []Row
	switch suffix := strings.ToLower(filepath.Ext(file)); {
	case !utf8.Valid(data):
		err = errors.New("the text is not UTF-8; save it as UTF-8")
	case suffix == ".csv":
		rows, err = readCSV(data)
	case suffix == ".json":
		rows, err = readJSON(data)
	case suffix == ".jsonl":
		rows, err = readLines(data)
	default:
		return nil, fault.Userf("%s: %q is not supported; use .csv, .json or .jsonl", file, suffix)
	}
	if err == nil && len(rows) == 0 {
		err = errors.New("the file has no rows; add at least one")
	}
	if err != nil {
		return nil, fault.Userf("%s: %w", file, err)
	}
	return rows, nil
}

func readCSV(data []byte) (rows []Row, err error) {
	r := csv.NewReader(bytes.NewReader(data))
	names, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i, name := range names {
		if name == "" {
			return nil, fmt.Errorf("column %d has no name in the first line; add one", i+1)
		}
		if seen[name] {
			return nil, fmt.Errorf("two columns are named %q; rename one", name)
		}
		seen[name] = true
	}
	for {
		values, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if errors.Is(err, csv.ErrFieldCount) {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("line %d has %d fields, but the first line names %d", line, len(values), len(names))
		}
		if err != nil {
			return nil, err
		}
		row := Row{}
		for i, name := range names {
			if row[name], err = json.Marshal(values[i]); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
}

func readJSON(data []byte) ([]Row, error) {
	var objects []json.RawMessage
	if err := json.Unmarshal(data, &objects); err != nil {
		return nil, fmt.Errorf("not a JSON array of objects: %w", err)
	}
	rows := make([]Row, len(objects))
	for i, object := range objects {
		if err := rows[i].parse(object); err != nil {
			return nil, fmt.Errorf("row %d is not a JSON object: %.80s", i, object)
		}
	}
	return rows, nil
}

func readLines(data []byte) (rows []Row, err error) {
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var row Row
		if err := row.parse(line); err != nil {
			return nil, fmt.Errorf("line %d is not a JSON object: %.80s", number, line)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// parse parses an object. Unlike json.Unmarshal, it rejects null.
func (r *Row) parse(object []byte) error {
	if !bytes.HasPrefix(object, []byte("{")) {
		return errors.New("not an object")
	}
	return json.Unmarshal(object, r)
}

// Props returns the props of base, which may be empty, with the fields of the row. A field replaces a prop of the same
// name. The error is a user error.
func (r Row) Props(base json.RawMessage) (json.RawMessage, error) {
	props := Row{}
	if len(base) > 0 {
		if err := json.Unmarshal(base, &props); err != nil {
			return nil, fault.Userf("the props are not a JSON object: %w", err)
		}
	}
	maps.Copy(props, r)
	return json.Marshal(props)
}
