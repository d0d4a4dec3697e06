package main

import (
	"encoding/json"
	"fmt"

	"helios/shared/cloud"
	"helios/shared/remote"
	"helios/shared/render"
)

// cloudProgress is the progress of a render on AWS as --json prints it.
type cloudProgress struct {
	Type       string        `json:"type"` // "cloud-progress"
	ID         string        `json:"id"`
	Status     remote.Status `json:"status"`
	Frames     int64         `json:"frames"`
	Total      int64         `json:"total"` // 0 until the job is planned
	Done       int           `json:"done"`  // partitions
	Partitions int           `json:"partitions"`
	Dollars    float64       `json:"dollars"`
}

func newCloudProgress(r *remote.Render) cloudProgress {
	p := cloudProgress{Type: "cloud-progress", ID: r.ID, Status: r.Status}
	if r.Job != nil {
		p.Total, p.Partitions = r.Job.Frames, r.Job.Partitions
	}
	if r.Progress != nil {
		p.Frames, p.Done, p.Dollars = r.Progress.Frames, r.Progress.Done, r.Progress.Dollars
	}
	return p
}

// cloudStarted prints the id of a render that the command does not wait for.
func (r *reporter) cloudStarted(id string) error {
	if r.flags.json {
		return json.NewEncoder(r.stdout).Encode(map[string]string{"type": "cloud-started", "id": id})
	}
	_, err := fmt.Fprintln(r.stdout, id)
	return err
}

// cloudProgress prints the progress of a render if it has changed.
func (r *reporter) cloudProgress(state *remote.Render) {
	p := newCloudProgress(state)
	if p == r.cloud {
		return
	}
	r.cloud = p
	switch {
	case r.flags.json:
		printJSON(r.stdout, p)
	case p.Total == 0:
		r.logf("%s: inspecting the page", p.Status)
	case r.bars != nil:
		r.bars.update(fmt.Sprintf("%d of %d partitions", p.Done, p.Partitions), p.Frames, p.Total)
	default:
		r.logf("frame %d of %d, %d of %d partitions, $%.4f", p.Frames, p.Total, p.Done, p.Partitions, p.Dollars)
	}
}

// cloudFinished prints the cost of a render, its speed, and the address or file of its output.
func (r *reporter) cloudFinished(f *cloud.Finished, output string) {
	r.close()
	r.logf("about $%.4f, see %s", f.Dollars, f.Report)
	r.report(render.Event{
		Type: render.OutputDone, Partition: -1, Worker: -1, Frames: f.Frames, Elapsed: f.WallSeconds, Path: output,
	})
}
