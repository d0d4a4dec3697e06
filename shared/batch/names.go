package batch

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"helios/shared/fault"
)

var field = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// Names returns the name of each row's file: the pattern with each {{field}} replaced by the row's value, and
// {{index}} by the place of the row, counted from 0. No value leads to another folder. The error is a fault.User:
// a row has no such field, or a value that no name can hold, or two rows have one name.
func Names(pattern string, rows []Row) ([]string, error) {
	names := make([]string, len(rows))
	first := map[string]int{}
	for i, row := range rows {
		var wrong error
		names[i] = field.ReplaceAllStringFunc(pattern, func(match string) string {
			value, err := row.word(field.FindStringSubmatch(match)[1], i)
			if err != nil && wrong == nil {
				wrong = fault.Userf("row %d cannot be named after %s: %w", i, pattern, err)
			}
			return value
		})
		if wrong != nil {
			return nil, wrong
		}
		clean := filepath.Clean(names[i])
		if other, ok := first[clean]; ok {
			return nil, fault.Userf("rows %d and %d would both be %s; put a field that tells them apart into the name, such as {{index}}", other, i, names[i])
		}
		first[clean] = i
	}
	return names, nil
}

// word returns a field as a part of a file's name.
func (r Row) word(name string, index int) (string, error) {
	if name == "index" {
		return strconv.Itoa(index), nil
	}
	value, ok := r[name]
	if !ok {
		return "", fault.Userf("it has no field %q", name)
	}
	value = bytes.TrimSpace(value)
	text := string(value)
	switch value[0] {
	case '"':
		if err := json.Unmarshal(value, &text); err != nil {
			return "", err
		}
	case '{', '[', 'n':
		return "", fault.Userf("its field %q is %.40s; a name takes a string, a number, true or false", name, value)
	}
	switch {
	case text == "":
		return "", fault.Userf("its field %q is empty", name)
	case strings.ContainsAny(text, "/\\\x00") || strings.Contains(text, "..") || text == ".":
		return "", fault.Userf("its field %q is %.80q, which could lead to another folder; use a value without /, \\ and two dots", name, text)
	}
	return text, nil
}
