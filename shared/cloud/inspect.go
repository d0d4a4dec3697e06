package cloud

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"helios/shared/capture"
	"helios/shared/job"
	"helios/shared/render"
)

// InspectEvent asks the chunk function to open a page once.
type InspectEvent struct {
	Action  string          `json:"action"` // "inspect"
	Request json.RawMessage `json:"request"`
}

// Inspection is what the planner has to know of a page.
type Inspection struct {
	render.Survey
	render.Tools
	// Usage is what the inspection took; the plan function writes it down, when the job has an id.
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
	if err := sweep(); err != nil {
		return nil, err
	}
	composition, err := capture.Locate("", r.Input)
	if err != nil {
		return nil, err
	}
	o := r.Options
	if o.SeekMode == "" {
		o.SeekMode = job.SeekAuto
	}
	o.Output = r.output("inspect")
	i := Inspection{Log: c.Log}
	if i.Survey, err = render.Look(ctx, o, composition); err != nil {
		return nil, err
	}
	if i.Tools, err = render.FindTools(ctx); err != nil {
		return nil, err
	}
	i.Usage = c.usage(UnitInspect, Done, 0)
	i.Usage.Puts-- // which is the plan function's
	return i, nil
}

// revision tells apart the states of a composition, and the programs that it is rendered with: other versions
// make other chunks. What is not named after its content, here or by the request, is new in each execution.
func (i Inspection) revision(r *Request, execution string) string {
	state := cmp.Or(r.Revision, i.Survey.Revision)
	if state == "" && !strings.Contains(r.Input, "/"+SitesPrefix) {
		state = execution
	}
	return strings.Join([]string{state, i.Chromium, i.FFmpeg}, " ")
}
