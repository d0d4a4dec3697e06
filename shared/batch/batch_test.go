package batch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helios/shared/fault"
)

// rows reads a text as a file with that suffix.
func rows(t *testing.T, suffix, text string) ([]Row, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rows"+suffix)
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return Read(file)
}

// wantUser checks that an error is a user error with some words.
func wantUser(t *testing.T, err error, words string) {
	t.Helper()
	if err == nil || fault.Of(err) != fault.User || !strings.Contains(err.Error(), words) {
		t.Errorf("the error is %v, want a user error with %q", err, words)
	}
}

func TestRead(t *testing.T) {
	for _, test := range []struct{ suffix, text, want string }{
		{".csv", "id,name\n1,\"a \"\"b\"\"\nc\"\n2,\n", `[{"id":"1","name":"a \"b\"\nc"},{"id":"2","name":""}]`},
		{".csv", "\ufeffid\r\nü\r\n", `[{"id":"ü"}]`},
		{".CSV", "id\nx", `[{"id":"x"}]`},
		{".json", "\ufeff [{\"id\": 1.50, \"deep\": {\"a\": [null]}}, {}]\n", `[{"deep":{"a":[null]},"id":1.50},{}]`},
		{".jsonl", "{\"id\": true}\r\n\n  {\"id\": null}", `[{"id":true},{"id":null}]`},
	} {
		list, err := rows(t, test.suffix, test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if got, err := json.Marshal(list); err != nil || string(got) != test.want {
			t.Errorf("Read() of %q = %s, %v, want %s", test.text, got, err, test.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	for _, test := range []struct{ suffix, text, words string }{
		{".csv", "", "the file has no rows"},
		{".csv", "id\n", "the file has no rows"},
		{".csv", "id,name\n1,2\n3\n", "line 3 has 1 fields, but the first line names 2"},
		{".csv", "id,id\n1,2\n", `two columns are named "id"`},
		{".csv", "id,\n1,2\n", "column 2 has no name"},
		{".csv", "id\n\"1\n", "rows.csv: parse error on line 2"},
		{".csv", "id\n\xff\n", "the text is not UTF-8"},
		{".json", "[]", "the file has no rows"},
		{".json", `{"id": 1}`, "not a JSON array of objects"},
		{".json", `[{"id": 1}] x`, "not a JSON array of objects"},
		{".json", `[{"id": 1}, null]`, "row 1 is not a JSON object: null"},
		{".json", `[{"id": 1}, [2]]`, "row 1 is not a JSON object: [2]"},
		{".jsonl", "\n", "the file has no rows"},
		{".jsonl", "{}\n\n{\"id\": }\n", `line 3 is not a JSON object: {"id": }`},
		{".jsonl", "7\n", "line 1 is not a JSON object: 7"},
		{".txt", "id\n1\n", `".txt" is not supported; use .csv, .json or .jsonl`},
	} {
		_, err := rows(t, test.suffix, test.text)
		wantUser(t, err, test.words)
	}
	_, err := Read(filepath.Join(t.TempDir(), "gone.csv"))
	wantUser(t, err, "gone.csv")
}

func TestProps(t *testing.T) {
	row := Row{"b": json.RawMessage(`"row"`), "c": json.RawMessage(`{"d":1}`)}
	for base, want := range map[string]string{
		``:                                       `{"b":"row","c":{"d":1}}`,
		`{"a": 1, "b": {"x": 2}, "c": {"e": 2}}`: `{"a":1,"b":"row","c":{"d":1}}`,
	} {
		if got, err := row.Props(json.RawMessage(base)); err != nil || string(got) != want {
			t.Errorf("Props(%s) = %s, %v, want %s", base, got, err, want)
		}
	}
	_, err := row.Props(json.RawMessage(`[]`))
	wantUser(t, err, "not a JSON object")
}

func TestNames(t *testing.T) {
	list, err := rows(t, ".jsonl", `{"id": "a b", "n": 1.50, "on": true, "two words": "x"}`+"\n"+
		`{"id": "ü", "n": 2, "on": false, "two words": "y.z"}`)
	if err != nil {
		t.Fatal(err)
	}
	for pattern, want := range map[string][]string{
		"out/{{id}}.mp4":           {"out/a b.mp4", "out/ü.mp4"},
		"{{index}}/{{ n }}-{{on}}": {"0/1.50-true", "1/2-false"},
		"../{{two words}}{{id}}/":  {"../xa b/", "../y.zü/"},
		"{id}{{index}}":            {"{id}0", "{id}1"},
	} {
		if got, err := Names(pattern, list); err != nil || !slices.Equal(got, want) {
			t.Errorf("Names(%s) = %q, %v, want %q", pattern, got, err, want)
		}
	}
}

func TestNamesErrors(t *testing.T) {
	for _, test := range []struct{ pattern, rows, words string }{
		{"{{id}}.mp4", `{"name": "x"}`, `naming row 0 after {{id}}.mp4: it has no field "id"`},
		{"{{id}}.mp4", `{"id": "x"}` + "\n{}", "row 1"},
		{"{{}}.mp4", `{"id": "x"}`, `it has no field ""`},
		{"{{id}}.mp4", `{"id": ""}`, "is empty"},
		{"{{id}}.mp4", `{"id": null}`, "is null"},
		{"{{id}}.mp4", `{"id": [1]}`, "is [1]"},
		{"{{id}}.mp4", `{"id": {"a": 1}}`, `is {"a": 1}`},
		{"{{id}}.mp4", `{"id": "a/b"}`, "could select another folder"},
		{"{{id}}.mp4", `{"id": "a\\b"}`, "could select another folder"},
		{"{{id}}.mp4", `{"id": ".."}`, "could select another folder"},
		{"{{id}}.mp4", `{"id": "a\u0000b"}`, "could select another folder"},
		{"{{id}}{{x}}", `{"id": ".", "x": "./y"}`, "could select another folder"},
		{"{{id}}{{id}}/x.mp4", `{"id": "."}`, "could select another folder"},
		{"out.mp4", "{}\n{}", "rows 0 and 1 have the same name out.mp4"},
		{"out/{{id}}", `{"id": "a"}` + "\n" + `{"id": "b"}` + "\n" + `{"id": "a"}`, "rows 0 and 2 have the same name out/a"},
	} {
		list, err := rows(t, ".jsonl", test.rows)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Names(test.pattern, list)
		wantUser(t, err, test.words)
	}
}
