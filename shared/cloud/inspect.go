package cloud

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"helios/shared/capture"
	"helios/shared/render"
)

// InspectEvent asks the chunk function to open a page once.
type InspectEvent struct {
	Action  string          `json:"action"` // "inspect"
	Request json.RawMessage `json:"request"`
}

// Inspection contains what the planner needs to know about a page.
type Inspection struct {
	render.Inspection
	render.Tools
	// Usage is the usage of the inspection. The plan function stores it, because the job has no id before.
	Usage Usage `json:"usage"`
	Log   Log   `json:"log"`
}

func inspect(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[InspectEvent](event)
	if err != nil {
		return nil, err
	}
	r, err := ParseRequest(e.Request)
	if err != nil {
		return nil, err
	}
	if err := removeTempFiles(); err != nil {
		return nil, err
	}
	composition, err := capture.Locate("", r.Input)
	if err != nil {
		return nil, err
	}
	o := r.Options
	o.Output = r.OutputKey("inspect")
	i := Inspection{Log: c.Log}
	if i.Inspection, err = render.Measure(ctx, o, composition); err != nil {
		return nil, err
	}
	if i.Tools, err = render.FindTools(ctx); err != nil {
		return nil, err
	}
	i.Usage = c.usage(UnitInspect, Done, 0)
	i.Usage.Puts-- // inspect does not store its usage; the plan function does, and counts the request
	return i, nil
}

// revision returns the revision of the job. It identifies everything that determines the chunks besides the settings:
// the state of the composition, and the versions of Chromium and ffmpeg. The default state is the name of the
// execution, because the composition may change between executions. Compositions below sites/ never change.
func (i Inspection) revision(r *Request, execution string) string {
	state := cmp.Or(r.Revision, i.Inspection.Revision)
	if state == "" && !strings.Contains(r.Input, "/"+SitesPrefix) {
		state = execution
	}
	return strings.Join([]string{state, i.Chromium, i.FFmpeg}, " ")
}
