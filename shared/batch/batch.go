// Package batch reads the rows of a batch, each of which makes a composition into a video of its own: what a row
// says becomes the page's props and a part of the output's name.
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

// Row is a row by the names of its fields.
type Row map[string]json.RawMessage

// Read reads all rows of a file, at least one: a CSV file, whose first line names the fields and whose values are
// strings; a JSON array of objects; or JSONL, with an object on each line. The error is a fault.User that tells
// the row, counted from 0, or the line, counted from 1.
func Read(file string) ([]Row, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Userf("reading the rows: %w", err)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var rows []Row
	switch ext := strings.ToLower(filepath.Ext(file)); {
	case !utf8.Valid(data):
		err = errors.New("the text is not UTF-8; save it as such")
	case ext == ".csv":
		rows, err = readCSV(data)
	case ext == ".json":
		rows, err = readJSON(data)
	case ext == ".jsonl":
		rows, err = readLines(data)
	default:
		return nil, fault.Userf("%s has no suffix of a kind of rows; name it .csv, .json or .jsonl", file)
	}
	if err == nil && len(rows) == 0 {
		err = errors.New("there are no rows; give at least one")
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
			return nil, fmt.Errorf("column %d has no name in the first line; give it one", i+1)
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
			return nil, fmt.Errorf("line %d has %d fields, but the first one names %d", line, len(values), len(names))
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
		return nil, fmt.Errorf("this is no JSON array of objects: %w", err)
	}
	rows := make([]Row, len(objects))
	for i, object := range objects {
		if err := rows[i].read(object); err != nil {
			return nil, fmt.Errorf("row %d is no JSON object: %.80s", i, object)
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
		if err := row.read(line); err != nil {
			return nil, fmt.Errorf("line %d is no JSON object: %.80s", number, line)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// read reads an object; null is none.
func (r *Row) read(object []byte) error {
	if !bytes.HasPrefix(object, []byte("{")) {
		return errors.New("no object")
	}
	return json.Unmarshal(object, r)
}

// Props returns the row's fields as a JSON object, over those of a base, which may be empty. The error is a
// fault.User.
func (r Row) Props(base json.RawMessage) (json.RawMessage, error) {
	all := Row{}
	if len(base) > 0 {
		if err := json.Unmarshal(base, &all); err != nil {
			return nil, fault.Userf("the props are no JSON object: %w", err)
		}
	}
	maps.Copy(all, r)
	return json.Marshal(all)
}
