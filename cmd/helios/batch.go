package main

import (
	"context"
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

// batchRow is one row of a batch: its own render and its result.
type batchRow struct {
	flags   renderFlags
	options plan.Options

	frames  int64
	elapsed time.Duration
	err     error
}

// path returns the file that the row creates: its output or its job spec.
func (r *batchRow) path() string {
	if r.flags.emitJob != "" {
		return r.flags.emitJob
	}
	return r.flags.output
}

// runBatch renders one output per row, one after the other, in shared browsers.
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
	browsers := render.NewBrowserPool(c, rows[0].options.Scale)
	defer browsers.Close()
	for i := range rows {
		r := &rows[i]
		start := time.Now()
		r.err = nameFlag(cmd, f.renderRow(ctx, i, r, browsers, c))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.elapsed = time.Since(start)
		if f.report.json {
			r.writeEvent(cmd.OutOrStdout(), i)
		}
	}
	return f.summarize(cmd.ErrOrStderr(), rows)
}

// readBatch reads all rows and validates their options.
func (f *renderFlags) readBatch(cmd *cobra.Command, input string, c capture.Composition) ([]batchRow, error) {
	if f.chunk != "" {
		return nil, fault.Userf("--chunk renders a part of one video; remove --chunk or --batch")
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
		if err := errors.Join(checkOptions(r.options), r.flags.checkNames(c)); err != nil {
			return nil, fault.Userf("row %d: %w", i, err)
		}
	}
	return rows, nil
}

// renderRow renders row i, or writes its job spec.
func (f *renderFlags) renderRow(
	ctx context.Context, i int, r *batchRow, browsers *render.BrowserPool, c capture.Composition,
) error {
	rep := newReporter(f.report)
	defer rep.close()
	work := rendering{&r.flags, r.options, c, browsers, func(e render.Event) {
		if e.Type == render.OutputDone {
			r.frames = e.Frames
		}
		rep.report(e)
	}}
	if f.emitJob != "" {
		if err := work.emit(ctx); err != nil {
			return err
		}
		return rep.jobEmitted(r.flags.emitJob)
	}
	rep.logf("row %d: %s", i, r.path())
	return work.run(ctx)
}

// writeEvent writes the result of a row as a line of JSON.
func (r *batchRow) writeEvent(w io.Writer, row int) {
	e := struct {
		Type    string  `json:"type"`
		Row     int     `json:"row"`
		Path    string  `json:"path"`
		Frames  int64   `json:"frames,omitempty"`
		Message string  `json:"message,omitempty"`
		Elapsed float64 `json:"elapsed"`
	}{Type: "row-done", Row: row, Path: r.path(), Frames: r.frames, Elapsed: r.elapsed.Seconds()}
	if r.err != nil {
		e.Type, e.Message = "row-failed", r.err.Error()
	}
	printJSON(w, e)
}

// summarize prints a table of all rows, with --quiet of the failed rows only. It returns an error if a row failed:
// a user error if every failure was one.
func (f *renderFlags) summarize(w io.Writer, rows []batchRow) error {
	failed, userErrors := 0, 0
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "row\toutput\tframes\tseconds\terror")
	for i, r := range rows {
		message := ""
		if r.err != nil {
			failed++
			if isUserError(r.err) {
				userErrors++
			}
			message = strings.Join(strings.Fields(r.err.Error()), " ")
		}
		if r.err != nil || !f.report.quiet {
			frames := strconv.FormatInt(r.frames, 10)
			if r.frames == 0 {
				frames = "-"
			}
			fmt.Fprintf(table, "%d\t%s\t%s\t%.1f\t%s\n", i, r.path(), frames, r.elapsed.Seconds(), message)
		}
	}
	if !f.report.json && (failed > 0 || !f.report.quiet) {
		table.Flush()
	}
	if failed == 0 {
		return nil
	}
	err := fmt.Errorf("%d of %d rows failed", failed, len(rows))
	if failed == userErrors {
		return fault.Wrap(fault.User, err)
	}
	return err
}
