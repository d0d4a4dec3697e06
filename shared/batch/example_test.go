package batch_test

import (
	"encoding/json"
	"fmt"

	"helios/shared/batch"
)

func Example() {
	rows := []batch.Row{
		{"id": json.RawMessage(`"anna"`), "score": json.RawMessage("7")},
		{"id": json.RawMessage(`"ben"`), "score": json.RawMessage("5")},
	}
	names, err := batch.Names("out/{{index}}-{{id}}.mp4", rows)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, row := range rows {
		props, err := row.Props(json.RawMessage(`{"title": "Results"}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(names[i], string(props))
	}
	// Output:
	// out/0-anna.mp4 {"id":"anna","score":7,"title":"Results"}
	// out/1-ben.mp4 {"id":"ben","score":5,"title":"Results"}
}
