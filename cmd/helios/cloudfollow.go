package main

import (
	"context"
	"fmt"
	"time"

	"helios/shared/fault"
	"helios/shared/remote"
)

// pollInterval is the time between two requests for the state of a render. Functions report their progress every
// three seconds.
const pollInterval = 2 * time.Second

// follower waits for a render and downloads its output.
type follower struct {
	stack     *remote.Stack
	reporter  *reporter
	file      string // of the output; "": it stays in the bucket
	overwrite bool
}

// follow reports the progress of a render until it ends.
func (f *follower) follow(ctx context.Context, id string) error {
	r, err := f.stack.Follow(ctx, id, pollInterval, f.reporter.cloudProgress)
	if err != nil {
		if ctx.Err() != nil {
			f.reporter.close()
			f.reporter.logf("%s continues to render; to stop it, use helios cloud cancel %s", id, id)
		}
		return err
	}
	if err := r.Err(); err != nil {
		return err
	}
	return f.finish(ctx, r)
}

// finish downloads the output of a render that has succeeded, and reports where it is.
func (f *follower) finish(ctx context.Context, r *remote.Render) error {
	if r.Finished == nil || r.Finished.Output == "" {
		return fmt.Errorf("the result of the render %s contains no output", r.ID)
	}
	output := r.Finished.Output
	if f.file != "" {
		if err := f.stack.Fetch(ctx, output, f.file, f.overwrite); err != nil {
			return err
		}
		output = f.file
	}
	f.reporter.cloudFinished(r.Finished, output)
	return nil
}

// errDetach is the error for --detach together with a local output.
func errDetach(output string) error {
	return fault.Userf("--detach does not wait for %s; omit --output, and use helios cloud fetch later", output)
}
