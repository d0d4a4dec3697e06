package job

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed schema.json
var schemaJSON string

const schemaURL = "urn:helios:job:1"

// Schema returns the JSON Schema (draft 2020-12) of the job spec. The properties of config are those of the settings.
func Schema() []byte {
	text := strings.NewReplacer(`"required": []`, `"required": `+required(), `"settings": {}`, SchemaProperties(false)).
		Replace(schemaJSON)
	var schema bytes.Buffer
	if err := json.Indent(&schema, []byte(text), "", "  "); err != nil {
		panic(err)
	}
	return schema.Bytes()
}

type compiledSchemas struct {
	root, config, track, jobID *jsonschema.Schema
}

// schemas returns the compiled schemas. It compiles them on first use, because most commands do not need them.
var schemas = sync.OnceValue(func() compiledSchemas {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	c.RegisterFormat(&jsonschema.Format{Name: "frame-rate", Validate: checkRate})
	c.RegisterFormat(&jsonschema.Format{Name: "seconds", Validate: checkSeconds})
	c.AssertFormat()
	if err := c.AddResource(schemaURL, document); err != nil {
		panic(err)
	}
	return compiledSchemas{
		root:   c.MustCompile(schemaURL),
		config: c.MustCompile(schemaURL + "#/$defs/config"),
		track:  c.MustCompile(schemaURL + "#/$defs/track"),
		jobID:  c.MustCompile(schemaURL + "#/properties/jobId"),
	}
})

// checkSchema validates a decoded JSON value against a schema. The error is an [*Error] about the first invalid field,
// in alphabetical order.
//
// Numbers in the value must be float64: the schema library panics on a [json.Number] with a huge exponent.
func checkSchema(schema *jsonschema.Schema, value any) error {
	err := schema.Validate(value)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	return firstViolation(invalid)
}

func checkRate(value any) error {
	text, ok := formatText(value)
	if !ok {
		return nil
	}
	_, err := ParseRate(text)
	return err
}

func checkSeconds(value any) error {
	text, ok := formatText(value)
	if !ok {
		return nil
	}
	s, err := ParseSeconds(text)
	if err == nil && s.IsZero() {
		return Errorf("", "must be above 0, got %.40s", text)
	}
	return err
}

// formatText returns the text of a string or number. Other types have no format.
func formatText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	}
	return "", false
}
