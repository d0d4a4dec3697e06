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

var placeholder = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// Names returns a file name for each row: the pattern, with {{field}} replaced by the value of the field, and {{index}}
// by the number of the row, counted from 0.
//
// It returns a user error if a row does not have the field, if two rows have the same name, or if a value cannot be
// part of a file name. Values must not contain path separators, so that no row can choose another folder.
func Names(pattern string, rows []Row) ([]string, error) {
	names := make([]string, len(rows))
	first := map[string]int{}
	for i, row := range rows {
		var invalid error
		names[i] = placeholder.ReplaceAllStringFunc(pattern, func(match string) string {
			value, err := row.namePart(placeholder.FindStringSubmatch(match)[1], i)
			if err != nil && invalid == nil {
				invalid = fault.Userf("naming row %d after %s: %w", i, pattern, err)
			}
			return value
		})
		if invalid != nil {
			return nil, invalid
		}
		clean := filepath.Clean(names[i])
		if other, ok := first[clean]; ok {
			return nil, fault.Userf("rows %d and %d have the same name %s; add a field that differs, such as {{index}}",
				other, i, names[i])
		}
		first[clean] = i
	}
	return names, nil
}

// namePart returns a field as a part of a file name.
func (r Row) namePart(name string, index int) (string, error) {
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
		return "", fault.Userf("the field %q is %.40s; use a string, a number, true or false", name, value)
	}
	switch {
	case text == "":
		return "", fault.Userf("the field %q is empty", name)
	case strings.ContainsAny(text, "/\\\x00") || strings.Contains(text, "..") || text == ".":
		return "", fault.Userf("the field %q is %.80q, which could select another folder; use a value without .., / and \\",
			name, text)
	}
	return text, nil
}
