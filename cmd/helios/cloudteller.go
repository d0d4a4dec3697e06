package main

import (
	"encoding/json"
	"fmt"

	"helios/shared/cloud"
	"helios/shared/remote"
	"helios/shared/render"
)

// cloudProgress is how far a render in the cloud is, for programs.
type cloudProgress struct {
	Type       string        `json:"type"` // "cloud-progress"
	ID         string        `json:"id"`
	Status     remote.Status `json:"status"`
	Frames     int64         `json:"frames"`
	Total      int64         `json:"total"` // 0 before the job was planned
	Done       int           `json:"done"`  // partitions
	Partitions int           `json:"partitions"`
	Dollars    float64       `json:"dollars"`
}

func progressOf(r *remote.Render) cloudProgress {
	p := cloudProgress{Type: "cloud-progress", ID: r.ID, Status: r.Status}
	if r.Job != nil {
		p.Total, p.Partitions = r.Job.Frames, r.Job.Partitions
	}
	if r.Progress != nil {
		p.Frames, p.Done, p.Dollars = r.Progress.Frames, r.Progress.Done, r.Progress.Dollars
	}
	return p
}

// say tells a person a line.
func (t *teller) say(format string, args ...any) {
	if !t.flags.json && !t.flags.quiet {
		fmt.Fprintf(t.err, format+"\n", args...)
	}
}

// started tells the id of a render that nobody waits for.
func (t *teller) started(id string) error {
	if t.flags.json {
		return json.NewEncoder(t.out).Encode(map[string]string{"type": "cloud-started", "id": id})
	}
	_, err := fmt.Fprintln(t.out, id)
	return err
}

// render tells how far a render is, if that has changed.
func (t *teller) render(r *remote.Render) {
	p := progressOf(r)
	if p == t.remote {
		return
	}
	t.remote = p
	switch {
	case t.flags.json:
		json.NewEncoder(t.out).Encode(p)
	case p.Total == 0:
		t.say("%s: looking at the page", p.Status)
	case t.bars != nil:
		t.bars.advance(fmt.Sprintf("%d of %d partitions", p.Done, p.Partitions), p.Frames, p.Total)
	default:
		t.say("frame %d of %d, %d of %d partitions, $%.4f", p.Frames, p.Total, p.Done, p.Partitions, p.Dollars)
	}
}

// finished tells what a render took, and where its output is.
func (t *teller) finished(f *cloud.Finished, place string) {
	t.close()
	t.say("about $%.4f, see %s", f.Dollars, f.Report)
	t.event(render.Event{Type: render.OutputDone, Partition: -1, Worker: -1, Frames: f.Frames, Elapsed: f.WallSeconds, Path: place})
}
