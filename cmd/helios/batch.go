package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"helios/shared/batch"
	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/plan"
	"helios/shared/render"
)

// batchRow is a row of a batch: a render of its own.
type batchRow struct {
	flags   renderFlags
	options plan.Options

	frames int64
	took   time.Duration
	err    error
}

// path is the file that the row makes.
func (r *batchRow) path() string {
	if r.flags.emitJob != "" {
		return r.flags.emitJob
	}
	return r.flags.output
}

// runBatch renders one video a row, one after the other, in browsers that they share.
func (f *renderFlags) runBatch(cmd *cobra.Command, input string) error {
	c, err := capture.Locate("", input)
	if err != nil {
		return err
	}
	rows, err := f.readBatch(cmd, input, c)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	browsers := render.NewBrowsers(c, rows[0].options.Scale)
	defer browsers.Close()
	for i := range rows {
		r := &rows[i]
		began := time.Now()
		r.err = nameFlag(cmd, f.doRow(ctx, i, r, browsers, c))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.took = time.Since(began)
		if f.told.json {
			r.tell(cmd.OutOrStdout(), i)
		}
	}
	return f.sum(cmd.ErrOrStderr(), rows)
}

// readBatch reads all rows and finds out whether each could be rendered.
func (f *renderFlags) readBatch(cmd *cobra.Command, input string, c capture.Composition) ([]batchRow, error) {
	if f.chunk != "" {
		return nil, fault.Userf("--chunk is a part of one video; give it without --batch")
	}
	list, err := batch.Read(f.batch)
	if err != nil {
		return nil, err
	}
	outputs, err := batch.Names(f.output, list)
	if err != nil {
		return nil, fault.Userf("--output: %w", err)
	}
	specs := make([]string, len(list))
	if f.emitJob != "" {
		if specs, err = batch.Names(f.emitJob, list); err != nil {
			return nil, fault.Userf("--emit-job: %w", err)
		}
	}
	rows := make([]batchRow, len(list))
	for i, row := range list {
		r := &rows[i]
		r.flags = *f
		r.flags.output, r.flags.emitJob = outputs[i], specs[i]
		if r.options, err = r.flags.options(cmd, input); err != nil {
			return nil, err
		}
		if r.options.Props, err = row.Props(r.options.Props); err != nil {
			return nil, err
		}
		if err := errors.Join(checkOpen(r.options), r.flags.checkNames(c)); err != nil {
			return nil, fault.Userf("row %d: %w", i, err)
		}
	}
	return rows, nil
}

// doRow renders a row, or describes its work.
func (f *renderFlags) doRow(ctx context.Context, i int, r *batchRow, browsers *render.Browsers, c capture.Composition) error {
	tell := newTeller(f.told)
	defer tell.close()
	if f.emitJob != "" {
		if err := r.flags.emit(ctx, browsers, r.options, c); err != nil {
			return err
		}
		return tell.emitted(r.flags.emitJob)
	}
	if !f.told.json && !f.told.quiet {
		fmt.Fprintf(tell.err, "row %d: %s\n", i, r.path())
	}
	return r.flags.make(ctx, browsers, r.options, c, func(e render.Event) {
		if e.Type == render.OutputDone {
			r.frames = e.Frames
		}
		tell.event(e)
	})
}

// tell prints what became of a row as an event.
func (r *batchRow) tell(w io.Writer, row int) {
	e := struct {
		Type    string  `json:"type"`
		Row     int     `json:"row"`
		Path    string  `json:"path"`
		Frames  int64   `json:"frames,omitempty"`
		Message string  `json:"message,omitempty"`
		Elapsed float64 `json:"elapsed"`
	}{Type: "row-done", Row: row, Path: r.path(), Frames: r.frames, Elapsed: r.took.Seconds()}
	if r.err != nil {
		e.Type, e.Message = "row-failed", r.err.Error()
	}
	json.NewEncoder(w).Encode(e)
}

// sum ends a batch with a table; a quiet one tells of the rows that failed only.
func (f *renderFlags) sum(w io.Writer, rows []batchRow) error {
	failed, users := 0, 0
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "row\toutput\tframes\tseconds\terror")
	for i, r := range rows {
		message := ""
		if r.err != nil {
			failed++
			if isUserError(r.err) {
				users++
			}
			message = strings.Join(strings.Fields(r.err.Error()), " ")
		}
		if r.err != nil || !f.told.quiet {
			frames := strconv.FormatInt(r.frames, 10)
			if r.frames == 0 {
				frames = "-"
			}
			fmt.Fprintf(table, "%d\t%s\t%s\t%.1f\t%s\n", i, r.path(), frames, r.took.Seconds(), message)
		}
	}
	if !f.told.json && (failed > 0 || !f.told.quiet) {
		table.Flush()
	}
	switch err := fmt.Errorf("%d of %d rows failed", failed, len(rows)); {
	case failed == 0:
		return nil
	case failed == users:
		return fault.Wrap(fault.User, err)
	default:
		return err
	}
}
