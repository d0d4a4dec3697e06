package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"helios/shared/addr"
	"helios/shared/capture"
	"helios/shared/cloud"
	"helios/shared/fault"
	"helios/shared/remote"
	"helios/shared/render"
)

// lookEvery is how often a render is looked at. The functions tell how far they are every three seconds.
const lookEvery = 2 * time.Second

type cloudRenderFlags struct {
	renderFlags
	stack          *stackFlags
	targetSeconds  float64
	maxConcurrency int
	webhook        string
	detach         bool
}

func newCloudRender(stack *stackFlags) *cobra.Command {
	f := &cloudRenderFlags{stack: stack}
	cmd := &cobra.Command{
		Use:   "render INPUT",
		Short: "Render a composition on AWS",
		Long: `Render a composition on AWS: a local HTML file or folder, which is uploaded first, an http(s) URL
or an s3:// address.

Of a local composition the page's whole folder is uploaded, but no hidden files; what the bucket
has already is not sent again. The output comes to the file that --output names; without it the
output stays in the bucket, and its address is printed. Ctrl-C does not end the render: see
"helios cloud cancel".`,
		Example: `  helios cloud render intro/ -o intro.mp4
  helios cloud render intro/ -o s3://my-bucket/renders/intro.mp4 --detach`,
		Args:              userArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: completeFiles("html"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return stack.onStack(func(_ context.Context, s *remote.Stack, input string) error { return f.run(cmd, s, input) })(cmd, args)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&f.output, "output", "o", "", "`file` that the video is downloaded to, or s3:// address in the stack's bucket where it stays (default: in the bucket, below "+cloud.RendersPrefix+")")
	fs.BoolVar(&f.detach, "detach", false, "start the render, print its id and do not wait")
	f.addOptions(cmd)
	fs.IntVar(&f.concurrency, "concurrency", 0, "`number` of partitions (default: what --target-chunk-seconds makes it)")
	fs.Float64Var(&f.targetSeconds, "target-chunk-seconds", 0, fmt.Sprintf("how many `seconds` a partition shall take about (default: %d)", cloud.DefaultTargetChunkSeconds))
	fs.IntVar(&f.maxConcurrency, "max-concurrency", 0, "`number` of partitions rendered at once, at most (default: that of the stack)")
	fs.StringVar(&f.webhook, "webhook", "", "https `URL` that is told of the end")
	fs.BoolVar(&f.overwrite, "overwrite", false, "replace a local output that exists")
	f.report.add(cmd)
	return cmd
}

func (f *cloudRenderFlags) run(cmd *cobra.Command, s *remote.Stack, input string) error {
	ctx, file := cmd.Context(), f.output
	id, err := newID(input)
	if err != nil {
		return err
	}
	key := cloud.RendersPrefix + id + cmp.Or(path.Ext(filepath.ToSlash(f.output)), ".mp4")
	switch {
	case audioCodecOf(f.output) != "":
		return fault.Userf("--output %s is sound alone, which helios render makes; the cloud makes videos", f.output)
	case addr.IsS3(f.output):
		bucket, name, _ := addr.SplitS3(f.output)
		if bucket != s.Bucket.Name {
			return fault.Userf("--output %s is not in the stack's bucket, %s, and the stack writes to no other", f.output, s.Bucket.Name)
		}
		key, file = name, ""
	case strings.HasSuffix(f.output, "/"):
		return fault.Userf("--output %s is a folder; in the cloud pictures come as one file: name a .zip", f.output)
	case f.output == "" && f.encoder.format != "":
		key = strings.TrimSuffix(key, ".mp4") + suffixOf(f.encoder.format)
	case f.output != "" && f.detach:
		return fault.Userf("--detach does not wait for %s; leave --output out, and use helios cloud fetch later", f.output)
	case f.output != "":
		if err := render.CheckOutput(f.output, f.overwrite); err != nil {
			return err
		}
	}
	f.output = key
	r, err := f.request(cmd, input)
	if err != nil {
		return err
	}
	rep := newReporter(f.report)
	defer rep.close()
	if err := f.upload(ctx, s, r, rep, file); err != nil {
		return err
	}
	if addr.IsHTTP(r.Input) {
		r.Revision = id // so that a redrive is the same job
	}
	if err := s.Start(ctx, id, r); err != nil {
		return err
	}
	if f.detach {
		return rep.cloudStarted(id)
	}
	rep.logf("%s started", id)
	return follow(ctx, s, rep, id, file, f.overwrite)
}

func suffixOf(format string) string {
	if format == "png" || format == "jpeg" {
		return ".zip"
	}
	return "." + format
}

// request makes the request and checks it. What is local in it is not uploaded yet.
func (f *cloudRenderFlags) request(cmd *cobra.Command, input string) (*cloud.Request, error) {
	if err := atLeast(cmd, "max-concurrency", int64(f.maxConcurrency), 1); err != nil {
		return nil, err
	}
	o, err := f.options(cmd, input)
	if err != nil {
		return nil, err
	}
	o.Concurrency = f.concurrency
	r := &cloud.Request{Options: o, TargetChunkSeconds: f.targetSeconds, MaxConcurrency: f.maxConcurrency, Webhook: f.webhook}
	tried := *r
	const uploaded = "s3://bucket/sites/"
	if !addr.IsRemote(input) {
		tried.Input = uploaded
	}
	tried.Tracks = slices.Clone(r.Tracks)
	for i, t := range tried.Tracks {
		if !addr.IsRemote(t.Source) {
			tried.Tracks[i].Source = uploaded
		}
	}
	return r, tried.Validate()
}

// upload uploads what of a request is local. The file that the output comes to is no part of it.
func (f *cloudRenderFlags) upload(ctx context.Context, s *remote.Stack, r *cloud.Request, rep *reporter, output string) error {
	r.Tracks = slices.Clone(r.Tracks)
	for i, t := range r.Tracks {
		if addr.IsRemote(t.Source) {
			continue
		}
		u, err := s.UploadFile(ctx, t.Source)
		if err != nil {
			return err
		}
		r.Tracks[i].Source = u.Address
	}
	c, err := capture.Locate("", r.Input)
	if err != nil || addr.IsRemote(r.Input) {
		return err
	}
	u, err := s.Upload(ctx, c, output)
	if err != nil {
		return err
	}
	r.Input = u.Address
	rep.logf("uploaded %d of %d files, %.1f of %.1f MB", u.Sent, u.Files, float64(u.SentBytes)/1e6, float64(u.Bytes)/1e6)
	return nil
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9]+`)

// newID names a render after its input and the time, so that a list of them can be read.
func newID(input string) (string, error) {
	name := path.Base(strings.TrimSuffix(filepath.ToSlash(input), "/"))
	if name == "index.html" || name == "." {
		if abs, err := filepath.Abs(input); err == nil && !addr.IsRemote(input) {
			name = filepath.Base(strings.TrimSuffix(abs, "/index.html"))
		}
	}
	name = strings.Trim(notInID.ReplaceAllString(strings.TrimSuffix(name, path.Ext(name)), "-"), "-")
	salt := make([]byte, 3)
	rand.Read(salt)
	return fmt.Sprintf("%s-%s-%s", cmp.Or(name[:min(40, len(name))], "render"), time.Now().UTC().Format("20060102-150405"), hex.EncodeToString(salt)), nil
}

// follow tells how a render goes until it has ended, and downloads the output if a file is named.
func follow(ctx context.Context, s *remote.Stack, rep *reporter, id, file string, overwrite bool) error {
	r, err := s.Follow(ctx, id, lookEvery, rep.cloudProgress)
	if err != nil {
		if ctx.Err() != nil {
			rep.close()
			rep.logf("%s goes on; helios cloud cancel %s ends it", id, id)
		}
		return err
	}
	if err := r.Err(); err != nil {
		return err
	}
	return deliver(ctx, s, rep, r, file, overwrite)
}

// deliver tells where the output of a render is, and downloads it if a file is named.
func deliver(ctx context.Context, s *remote.Stack, rep *reporter, r *remote.Render, file string, overwrite bool) error {
	if r.Finished == nil || r.Finished.Output == "" {
		return fmt.Errorf("the render %s does not say where its output is", r.ID)
	}
	place := r.Finished.Output
	if file != "" {
		if err := s.Fetch(ctx, place, file, overwrite); err != nil {
			return err
		}
		place = file
	}
	rep.cloudFinished(r.Finished, place)
	return nil
}
