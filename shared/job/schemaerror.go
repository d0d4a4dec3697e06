package job

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// violation is a violation of the schema.
type violation struct {
	path    []string
	problem string
}

// firstViolation returns an [*Error] about one violation, always the same one for the same document. It does not return
// all of them, because one invalid field often causes others.
func firstViolation(invalid *jsonschema.ValidationError) error {
	first := slices.MinFunc(violations(nil, invalid), func(a, b violation) int {
		return cmp.Or(slices.CompareFunc(a.path, b.path, compareKeys), cmp.Compare(a.problem, b.problem))
	})
	return Errorf(fieldPath(first.path), "%s", first.problem)
}

// violations appends the leaves of a tree of validation errors to a list.
func violations(list []violation, invalid *jsonschema.ValidationError) []violation {
	for _, cause := range invalid.Causes {
		list = violations(list, cause)
	}
	if len(invalid.Causes) > 0 {
		return list
	}
	path := invalid.InstanceLocation
	below := func(name string) []string { return append(slices.Clone(path), name) }
	switch k := invalid.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			list = append(list, violation{below(name), "is missing"})
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			list = append(list, violation{below(name), "is not a field of the job spec; remove it or correct its name"})
		}
	default:
		list = append(list, violation{path, problem(k)})
	}
	return list
}

func problem(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		want := make([]string, len(k.Want))
		for i, name := range k.Want {
			want[i] = article(name)
		}
		return fmt.Sprintf("must be %s, got %s", strings.Join(want, " or "), article(k.Got))
	case *kind.Const:
		return fmt.Sprintf("must be %v, got %v", k.Want, k.Got)
	case *kind.Enum:
		want := make([]string, len(k.Want))
		for i, v := range k.Want {
			want[i] = fmt.Sprintf("%q", v)
		}
		return fmt.Sprintf("must be %s, got %.40q", strings.Join(want, " or "), fmt.Sprint(k.Got))
	case *kind.Minimum:
		return fmt.Sprintf("must be at least %s, got %s", formatRat(k.Want), formatRat(k.Got))
	case *kind.Maximum:
		return fmt.Sprintf("must be at most %s, got %s", formatRat(k.Want), formatRat(k.Got))
	case *kind.ExclusiveMinimum:
		return fmt.Sprintf("must be above %s, got %s", formatRat(k.Want), formatRat(k.Got))
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d, got %d", k.Want, k.Got)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d, got %d", k.Want, k.Got)
	case *kind.MinLength:
		return "must not be empty"
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters, got %d", k.Want, k.Got)
	case *kind.Pattern:
		return fmt.Sprintf("must match %s, got %.80q", k.Want, k.Got)
	case *kind.Format:
		return k.Err.Error()
	}
	return "violates the rule of the schema " + strings.Join(k.KeywordPath(), "/")
}

// article returns the name of a JSON type with its article.
func article(jsonType string) string {
	switch jsonType {
	case "null":
		return jsonType
	case "array", "integer", "object":
		return "an " + jsonType
	}
	return "a " + jsonType
}

func formatRat(x *big.Rat) string {
	if x.IsInt() && x.Num().BitLen() < 64 {
		return x.Num().String()
	}
	f, _ := x.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// compareKeys compares array indices as numbers, and names alphabetically.
func compareKeys(a, b string) int {
	i, errA := strconv.Atoi(a)
	j, errB := strconv.Atoi(b)
	if errA == nil && errB == nil {
		return cmp.Compare(i, j)
	}
	return cmp.Compare(a, b)
}

// fieldPath returns the path of a JSON value, such as partitions[3].frameCount.
func fieldPath(path []string) string {
	var b strings.Builder
	for i, key := range path {
		switch {
		case isIndex(key):
			b.WriteString("[" + key + "]")
		case isName(key):
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(key)
		default:
			fmt.Fprintf(&b, "[%.40q]", key)
		}
	}
	return b.String()
}

func isIndex(key string) bool {
	return key != "" && strings.Trim(key, "0123456789") == ""
}

func isName(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}
