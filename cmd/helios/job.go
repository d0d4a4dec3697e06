package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"helios/shared/addr"
	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/render"
	"helios/shared/store"
)

func newJob() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "job",
		Short: "Run and validate job specs",
		Args:  userArgs(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newJobRun(), newJobValidate(), newJobSchema())
	return cmd
}

func newJobValidate() *cobra.Command {
	return &cobra.Command{
		Use:   "validate JOB",
		Short: "Validate a job spec",
		Args:  userArgs(cobra.ExactArgs(1)),

		ValidArgsFunction: completeFiles("json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := readSpec(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is valid: %d frames in %d partitions\n",
				args[0], spec.Config.FrameCount, len(spec.Partitions))
			return nil
		},
	}
}

func newJobSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of job specs",
		Args:  userArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(job.Schema())
			return err
		},
	}
}

type jobRunFlags struct {
	partitions  []string
	concurrency int
	retries     int
	noMerge     bool
	resume      bool
	overwrite   bool
	report      reportFlags
}

func newJobRun() *cobra.Command {
	f := &jobRunFlags{}
	cmd := &cobra.Command{
		Use:   "run JOB",
		Short: "Render and merge the partitions of a job spec",
		Long: `Render and merge the partitions of a job spec, a file or a URL. Chunks are written to the folder
of the job file, or to the current folder if the job is a URL. Chunks that an earlier run finished
are kept.`,
		Example: `  helios job run job.json
  helios job run job.json --partition 0-4 --partition 7`,
		Args:              userArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: completeFiles("json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := atLeast(cmd, "concurrency", int64(f.concurrency), 1); err != nil {
				return err
			}
			if err := atLeast(cmd, "retries", int64(f.retries), 0); err != nil {
				return err
			}
			ids, err := parsePartitions(f.partitions)
			if err != nil {
				return err
			}
			return f.run(cmd.Context(), args[0], ids)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringArrayVar(&f.partitions, "partition", nil,
		"render only these partitions, an `id` such as 3 or a range such as 0-4, and do not merge; can be repeated")
	fs.IntVar(&f.concurrency, "concurrency", 0,
		"`number` of partitions rendered in parallel, at most one per core (default: limited by cores and memory)")
	fs.BoolVar(&f.noMerge, "no-merge", false, "do not merge the chunks")
	fs.BoolVar(&f.resume, "resume", true, "keep chunks that an earlier run finished")
	fs.IntVar(&f.retries, "retries", defaultRetries, "`number` of retries of a partition when a process dies")
	fs.BoolVar(&f.overwrite, "overwrite", false, "replace an existing output")
	f.report.add(cmd)
	return cmd
}

func (f *jobRunFlags) run(ctx context.Context, name string, ids []int) error {
	spec, err := readSpec(ctx, name)
	if err != nil {
		return err
	}
	if addr.IsHTTP(name) && !filepath.IsLocal(filepath.FromSlash(spec.Merge.Output)) {
		return fault.Userf("%s: the output %s is outside the current folder; a job from a URL must write inside it",
			name, spec.Merge.Output)
	}
	dir, c, err := locateInput(name, spec.Config.Input)
	if err != nil {
		return err
	}
	rep := newReporter(f.report)
	defer rep.close()
	j := &render.Job{
		Spec:        spec,
		Composition: c,
		Sources:     store.Dir(dir),
		Chunks:      store.Dir(dir),
		Output:      store.Dir(dir).Path(spec.Merge.Output),
		Partitions:  ids,
		Workers:     workers(f.concurrency),
		Retries:     f.retries,
		Resume:      f.resume,
		Merge:       !f.noMerge && ids == nil,
		Overwrite:   f.overwrite,
		Report:      rep.report,
	}
	return j.Run(ctx)
}

// locateInput returns the composition of the job spec called name, and the folder for its chunks. Paths in a job
// spec are relative to the spec, a file or a URL.
func locateInput(name, input string) (dir string, c capture.Composition, err error) {
	if !addr.IsHTTP(name) {
		dir = filepath.Dir(name)
		c, err = capture.Locate(dir, filepath.FromSlash(input))
		return dir, c, err
	}
	base, err := url.Parse(name)
	if err != nil {
		return "", c, fault.Userf("%s is not a URL: %w", name, err)
	}
	if !addr.IsRemote(input) {
		input = base.ResolveReference(&url.URL{Path: input}).String()
	}
	c, err = capture.Locate("", input)
	return ".", c, err
}

// maxSpecBytes limits the size of a job spec from a URL to ten times that of a spec with 10,000 partitions.
const maxSpecBytes = 64 << 20

// readSpec reads and validates a job spec, a file or a URL.
func readSpec(ctx context.Context, name string) (*job.Spec, error) {
	data, err := readFileOrURL(ctx, name)
	if err != nil {
		return nil, fault.Userf("reading the job spec: %w", err)
	}
	spec, err := job.Parse(data)
	if err != nil {
		return nil, fault.Userf("%s: %w", name, err)
	}
	return spec, nil
}

func readFileOrURL(ctx context.Context, name string) ([]byte, error) {
	if !addr.IsHTTP(name) {
		return os.ReadFile(name)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, name, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: HTTP status %s", name, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxSpecBytes))
}

// maxPartition limits ranges, so that a typing error does not exhaust the memory.
const maxPartition = job.MaxPartitions - 1

// parsePartitions parses partition ids (3) and inclusive ranges of them (0-4).
func parsePartitions(args []string) (ids []int, err error) {
	for _, arg := range args {
		first, last, isRange := strings.Cut(arg, "-")
		if !isRange {
			last = first
		}
		from, errFrom := strconv.Atoi(first)
		to, errTo := strconv.Atoi(last)
		if errFrom != nil || errTo != nil || from < 0 || from > to || to > maxPartition {
			return nil, fault.Userf("--partition must be an id such as 3 or a range such as 0-4, got %q", arg)
		}
		for id := from; id <= to; id++ {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
