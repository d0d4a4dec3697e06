package functions

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"helios/shared/cloud"
)

// example is an event and its response: functions/FUNCTION/examples/ACTION.json.
type example struct {
	Event  json.RawMessage `json:"event"`
	Result json.RawMessage `json:"result"`
}

// The examples match the Go types: decoding and encoding loses nothing. There is one example per action.
func TestExamples(t *testing.T) {
	type types struct{ event, result any }
	for function, test := range map[string]struct {
		actions  cloud.Function
		examples map[string]types
	}{
		"chunk": {cloud.Chunk(), map[string]types{
			"inspect":  {new(cloud.InspectEvent), new(cloud.Inspection)},
			"render":   {new(cloud.RenderEvent), new(cloud.RenderResult)},
			"audio":    {new(cloud.AudioEvent), new(cloud.AudioResult)},
			"assemble": {new(cloud.AssembleEvent), new(cloud.AssembleResult)},
		}},
		"plan": {cloud.Plan(), map[string]types{
			"plan":           {new(cloud.PlanEvent), new(cloud.Planned)},
			"failure":        {new(cloud.FailureEvent), new(cloud.Failure)},
			"request-error":  {new(cloud.RequestErrorEvent), new(cloud.RequestError)},
			"object-created": {nil, new(cloud.Triggered)}, // the type contains only part of S3's event
		}},
		"merge": {cloud.Merge(), map[string]types{
			"merge":     {new(cloud.MergeEvent), new(cloud.MergeResult)},
			"completed": {new(cloud.FinishEvent), new(cloud.Finished)},
			"failed":    {new(cloud.FinishEvent), new(cloud.Finished)},
		}},
	} {
		var actions []string
		for action := range test.actions {
			actions = append(actions, strings.ToLower(strings.ReplaceAll(action, " ", "-")))
		}
		slices.Sort(actions)
		if diff := cmp.Diff(actions, slices.Sorted(maps.Keys(test.examples))); diff != "" {
			t.Errorf("%s (- actions, + examples):\n%s", function, diff)
		}
		for action, types := range test.examples {
			e := readExample(t, function, action)
			same(t, function+"/"+action+": the event", e.Event, types.event)
			same(t, function+"/"+action+": the result", e.Result, types.result)
		}
	}
}

func readExample(t *testing.T, function, action string) (e example) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(function, "examples", action+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func same(t *testing.T, name string, text []byte, value any) {
	t.Helper()
	if value == nil {
		return
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(value); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	again, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &got); err != nil {
		t.Fatal(err)
	}
	for key, value := range got {
		if _, ok := want[key]; !ok && value == nil {
			delete(got, key) // optional, omitted by the state machine
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (- example, + type):\n%s", name, diff)
	}
}

// The events of the state machine have the fields of the examples.
func TestStateMachineEvents(t *testing.T) {
	actions := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if action, ok := v["action"].(string); ok {
				actions[action] = true
				var keys []string
				for key := range v {
					keys = append(keys, strings.TrimSuffix(key, ".$"))
				}
				slices.Sort(keys)
				if want := eventFields(t, action); !slices.Equal(keys, want) {
					t.Errorf("the event of %s has the fields %q, want %q", action, keys, want)
				}
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(stateMachine(t))
	if got := slices.Sorted(maps.Keys(actions)); len(got) != 10 {
		t.Errorf("the actions are %q", got)
	}
}

// eventFields returns the fields of the example event of an action.
func eventFields(t *testing.T, action string) []string {
	t.Helper()
	files, err := filepath.Glob("*/examples/" + action + ".json")
	if err != nil || len(files) != 1 {
		t.Errorf("%s has the examples %q, want one: %v", action, files, err)
		return nil
	}
	var event map[string]any
	if err := json.Unmarshal(readExample(t, filepath.Dir(filepath.Dir(files[0])), action).Event, &event); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(event))
}

func TestEventSchema(t *testing.T) {
	for _, action := range []string{"completed", "failed"} {
		if err := checkEvent(t, readExample(t, "merge", action).Result); err != nil {
			t.Error(err)
		}
	}
	for _, wrong := range []string{
		`{"version":1,"status":"completed","execution":"x"}`, `{"version":1,"status":"failed","execution":"x","error":"e"}`,
		`{"version":1,"status":"failed","execution":"x","error":"e","message":"m","output":"s3://a/b"}`,
		`{"version":2,"status":"failed","execution":"x","error":"e","message":"m"}`,
	} {
		if checkEvent(t, []byte(wrong)) == nil {
			t.Errorf("the schema accepts %s", wrong)
		}
	}
}

// checkEvent validates the detail of an event.
func checkEvent(t *testing.T, detail []byte) error {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(cloud.EventSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("urn:helios:event:1", document); err != nil {
		t.Fatal(err)
	}
	event, err := jsonschema.UnmarshalJSON(bytes.NewReader(detail))
	if err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("urn:helios:event:1").Validate(event)
}
