package job

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Value formats and parses a setting as the value of its flag. It is a pflag.Value. String returns "" for the zero
// value.
type Value interface {
	String() string
	Set(text string) error
	Type() string
}

// valueKind describes the values of a setting.
type valueKind struct {
	schema  string   // JSON Schema, without the braces around it
	choices []string // the possible values, if they are a fixed list
	auto    bool     // the flag accepts "auto" too, which a spec never contains
	hint    string   // an addition to the flag's help text
	value   func(*Config) Value
}

// field implements [Value] for a field of type T.
type field[T any] struct {
	p      *T
	format func(T) string
	parse  func(string) (T, error)
	isBool bool
}

func (f field[T]) String() string { return f.format(*f.p) }

func (f field[T]) Set(text string) error {
	value, err := f.parse(text)
	if err == nil {
		*f.p = value
	}
	return err
}

// Type returns "bool" for flags that need no value, as pflag requires.
func (f field[T]) Type() string {
	if f.isBool {
		return "bool"
	}
	return "value"
}

// integerType is the type of an integer setting.
type integerType interface{ int | int64 | uint32 }

// integer is the kind of integers. With integerOrZero, a flag can also set an optional setting to 0, its default.
func integer[T integerType](least, most int64, p func(*Config) *T) valueKind {
	return integerFrom(least, least, most, p)
}

func integerOrZero[T integerType](least, most int64, p func(*Config) *T) valueKind {
	return integerFrom(0, least, most, p)
}

func integerFrom[T integerType](accepted, least, most int64, p func(*Config) *T) valueKind {
	parse := func(text string) (T, error) { return parseInteger[T](text, accepted) }
	return valueKind{
		schema: fmt.Sprintf(`"type": "integer", "minimum": %d, "maximum": %d`, least, most),
		value:  func(c *Config) Value { return field[T]{p: p(c), format: formatInteger[T], parse: parse} },
	}
}

// integerOrNil is the kind of integers for which nil, not 0, means that the setting is left out.
func integerOrNil(least, most int64, p func(*Config) **int) valueKind {
	format := func(n *int) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	parse := func(text string) (*int, error) {
		n, err := parseInteger[int](text, least)
		return &n, err
	}
	return valueKind{
		schema: fmt.Sprintf(`"type": "integer", "minimum": %d, "maximum": %d`, least, most),
		value:  func(c *Config) Value { return field[*int]{p: p(c), format: format, parse: parse} },
	}
}

// bitDepth is the kind of bit depths.
func bitDepth(p func(*Config) *int) valueKind {
	k := integerOrZero(8, 10, p)
	k.schema, k.choices = `"enum": [8, 10]`, []string{"8", "10"}
	return k
}

func formatInteger[T integerType](n T) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

func parseInteger[T integerType](text string, least int64) (T, error) {
	n, err := strconv.ParseInt(text, 0, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || err == nil && n > 0 && int64(T(n)) != n:
		return 0, Errorf("", "is too large: %s", text)
	case err != nil:
		return 0, Errorf("", "must be a whole number, got %q", text)
	case n < least:
		return 0, Errorf("", "must be at least %d, got %d", least, n)
	}
	return T(n), nil
}

// number is the kind of numbers. Those with a minimum above 0 cannot be set to 0.
func number(least, most float64, p func(*Config) *float64) valueKind {
	format := func(x float64) string {
		if x == 0 {
			return ""
		}
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	parse := func(text string) (float64, error) {
		x, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil || math.IsNaN(x) || math.IsInf(x, 0):
			return 0, Errorf("", "must be a number, got %q", text)
		case least > 0 && x <= 0:
			return 0, Errorf("", "must be more than 0, got %v", x)
		}
		return x, nil
	}
	return valueKind{
		schema: fmt.Sprintf(`"type": "number", "minimum": %v, "maximum": %v`, least, most),
		value:  func(c *Config) Value { return field[float64]{p: p(c), format: format, parse: parse} },
	}
}

// bitRate is the kind of bit rates. Flags accept the suffixes k and M.
func bitRate(example string, p func(*Config) *int64) valueKind {
	return valueKind{
		schema: fmt.Sprintf(`"type": "integer", "minimum": %d, "maximum": %d`, minBits, maxBits),
		hint:   " (such as " + example + ")",
		value:  func(c *Config) Value { return field[int64]{p: p(c), format: formatInteger[int64], parse: parseBits} },
	}
}

const (
	minBits = 1000
	maxBits = 2_000_000_000
)

func parseBits(text string) (int64, error) {
	digits, factor := text, 1.0
	switch {
	case strings.HasSuffix(text, "k"):
		digits, factor = strings.TrimSuffix(text, "k"), 1e3
	case strings.HasSuffix(text, "M"):
		digits, factor = strings.TrimSuffix(text, "M"), 1e6
	}
	x, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(x*factor >= minBits && x*factor <= maxBits) {
		return 0, Errorf("", "must be 1k to 2000M bits per second, such as 8M, got %q", text)
	}
	return int64(math.Round(x * factor)), nil
}

func boolean(p func(*Config) *bool) valueKind {
	format := func(b bool) string {
		if b {
			return "true"
		}
		return ""
	}
	parse := func(text string) (bool, error) {
		b, err := strconv.ParseBool(text)
		if err != nil {
			return false, Errorf("", "must be true or false, got %q", text)
		}
		return b, nil
	}
	return valueKind{
		schema: `"type": "boolean"`,
		value:  func(c *Config) Value { return field[bool]{p: p(c), format: format, parse: parse, isBool: true} },
	}
}

func frameRate(p func(*Config) *Rate) valueKind {
	return valueKind{
		schema: `"type": ["string", "number"], "format": "frame-rate"`,
		value:  func(c *Config) Value { return field[Rate]{p: p(c), format: Rate.String, parse: ParseRate} },
	}
}

// seconds is the kind of times above 0.
func seconds(most int64, p func(*Config) *Seconds) valueKind {
	format := func(s Seconds) string {
		if s.IsZero() {
			return ""
		}
		return s.String()
	}
	parse := func(text string) (Seconds, error) {
		s, err := ParseSeconds(text)
		if err == nil && s.IsZero() {
			err = Errorf("", "must be more than 0")
		}
		return s, err
	}
	return valueKind{
		schema: fmt.Sprintf(`"type": ["number", "string"], "format": "seconds", "exclusiveMinimum": 0, "maximum": %d`, most),
		value:  func(c *Config) Value { return field[Seconds]{p: p(c), format: format, parse: parse} },
	}
}

// enum is the kind of settings with a fixed list of values.
func enum[T ~string](p func(*Config) *T, values ...T) valueKind { return enumOf(p, "", values) }

// enumOrAuto is like enum. If the value is "auto", the planner chooses one.
func enumOrAuto[T ~string](p func(*Config) *T, values ...T) valueKind {
	return enumOf(p, "auto", values)
}

func enumOf[T ~string](p func(*Config) *T, auto string, values []T) valueKind {
	list, err := json.Marshal(values)
	if err != nil {
		panic(err) // strings are JSON
	}
	k := valueKind{schema: `"enum": ` + string(list), auto: auto != ""}
	for _, v := range values {
		k.choices = append(k.choices, string(v))
	}
	if k.auto {
		k.choices = append(k.choices, auto)
	}
	parse := func(text string) (T, error) {
		// Without "auto", the empty text selects the default.
		if !slices.Contains(k.choices, text) && (text != "" || k.auto) {
			return "", Errorf("", "must be %s, got %q", either(k.choices), text)
		}
		return T(text), nil
	}
	k.value = func(c *Config) Value {
		return field[T]{p: p(c), format: func(t T) string { return string(t) }, parse: parse}
	}
	return k
}

const (
	nameSchema = `"type": "string", "pattern": "^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$"`
	pathSchema = `"$ref": "#/$defs/path"`
)

// text is the kind of texts, with a schema.
func text(schema string, p func(*Config) *string) valueKind {
	same := func(s string) string { return s }
	parse := func(s string) (string, error) { return s, nil }
	return valueKind{
		schema: schema,
		value:  func(c *Config) Value { return field[string]{p: p(c), format: same, parse: parse} },
	}
}

// object is the kind of JSON objects.
func object(p func(*Config) *json.RawMessage) valueKind {
	parse := func(text string) (json.RawMessage, error) {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return nil, Errorf("", "must be a JSON object: %v", err)
		}
		return bytes.TrimSpace([]byte(text)), nil
	}
	return valueKind{schema: `"type": "object"`, value: func(c *Config) Value {
		return field[json.RawMessage]{p: p(c), format: func(m json.RawMessage) string { return string(m) }, parse: parse}
	}}
}
