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
		Long: `Render a composition on AWS: a local HTML file or folder, an http(s):// URL or an s3:// address.

A local composition is uploaded first: the whole folder of the page without hidden files. Files
that the bucket already contains are not sent again. --output names the file that the output is
downloaded to. Without it, the output stays in the bucket, and the command prints its address.
Ctrl-C does not stop the render: see "helios cloud cancel".`,
		Example: `  helios cloud render intro/ -o intro.mp4
  helios cloud render intro/ -o s3://my-bucket/renders/intro.mp4 --detach`,
		Args:              userArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: completeFiles("html"),
	}
	cmd.RunE = stack.withStack(func(_ context.Context, s *remote.Stack, input string) error {
		return f.run(cmd, s, input)
	})
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&f.output, "output", "o", "",
		"local `file`, or s3:// address in the stack's bucket (default: in the bucket, below "+cloud.RendersPrefix+")")
	fs.BoolVar(&f.detach, "detach", false, "start the render, print its id and do not wait")
	f.addOptions(cmd)
	fs.IntVar(&f.plan.Concurrency, "concurrency", 0, "`number` of partitions (default: from --target-chunk-seconds)")
	fs.Float64Var(&f.targetSeconds, "target-chunk-seconds", 0,
		fmt.Sprintf("approximate `seconds` to render a partition (default: %d)", cloud.DefaultTargetChunkSeconds))
	fs.IntVar(&f.maxConcurrency, "max-concurrency", 0,
		"maximum `number` of partitions rendered at once (default: that of the stack)")
	fs.StringVar(&f.webhook, "webhook", "", "https:// `URL` that receives the result")
	fs.BoolVar(&f.overwrite, "overwrite", false, "replace a local output that exists")
	f.report.add(cmd)
	return cmd
}

func (f *cloudRenderFlags) run(cmd *cobra.Command, s *remote.Stack, input string) error {
	ctx, file := cmd.Context(), f.output
	id := newID(input)
	key := cloud.RendersPrefix + id + cmp.Or(path.Ext(filepath.ToSlash(f.output)), ".mp4")
	switch {
	case audioCodecOf(f.output) != "":
		return fault.Userf("--output %s contains only sound; use helios render: AWS renders only video", f.output)
	case addr.IsS3(f.output):
		bucket, name, _ := addr.SplitS3(f.output)
		if bucket != s.Bucket.Name {
			return fault.Userf("--output %s is not in the stack's bucket; use s3://%s/…", f.output, s.Bucket.Name)
		}
		key, file = name, ""
	case strings.HasSuffix(f.output, "/"):
		return fault.Userf("--output %s is a folder, but AWS writes images to one file; use a .zip file", f.output)
	case f.output == "" && f.plan.Format != "":
		key = strings.TrimSuffix(key, ".mp4") + f.plan.Format.Suffix()
	case f.output != "" && f.detach:
		return errDetach(f.output)
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
	u, err := f.upload(ctx, s, r, file)
	if err != nil {
		return err
	}
	if u != nil {
		rep.logf("uploaded %d of %d files, %.1f of %.1f MB",
			u.Sent, u.Files, float64(u.SentBytes)/1e6, float64(u.Bytes)/1e6)
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
	w := &follower{stack: s, reporter: rep, file: file, overwrite: f.overwrite}
	return w.follow(ctx, id)
}

// request makes and validates the request. It may contain local files.
func (f *cloudRenderFlags) request(cmd *cobra.Command, input string) (*cloud.Request, error) {
	if err := atLeast(cmd, "max-concurrency", int64(f.maxConcurrency), 1); err != nil {
		return nil, err
	}
	o, err := f.options(cmd, input)
	if err != nil {
		return nil, err
	}
	o.Concurrency = f.plan.Concurrency
	r := &cloud.Request{
		Options: o, TargetChunkSeconds: f.targetSeconds, MaxConcurrency: f.maxConcurrency, Webhook: f.webhook,
	}
	// Validate rejects local files. They get addresses only when they are uploaded.
	const uploaded = "s3://bucket/sites/"
	copied := *r
	if !addr.IsRemote(input) {
		copied.Input = uploaded
	}
	copied.Tracks = slices.Clone(r.Tracks)
	for i, t := range copied.Tracks {
		if !addr.IsRemote(t.Source) {
			copied.Tracks[i].Source = uploaded
		}
	}
	return r, copied.Validate()
}

// upload uploads the local files of a request and replaces them by their addresses. It does not upload output. The
// result is nil if the composition is not local.
func (f *cloudRenderFlags) upload(
	ctx context.Context, s *remote.Stack, r *cloud.Request, output string,
) (*remote.UploadResult, error) {
	r.Tracks = slices.Clone(r.Tracks)
	for i, t := range r.Tracks {
		if addr.IsRemote(t.Source) {
			continue
		}
		u, err := s.UploadFile(ctx, t.Source)
		if err != nil {
			return nil, err
		}
		r.Tracks[i].Source = u.Address
	}
	c, err := capture.Locate("", r.Input)
	if err != nil || addr.IsRemote(r.Input) {
		return nil, err
	}
	u, err := s.Upload(ctx, c, output)
	if err != nil {
		return nil, err
	}
	r.Input = u.Address
	return u, nil
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9]+`)

// newID returns an id that consists of the name of the input, the time and a random suffix.
func newID(input string) string {
	name := path.Base(strings.TrimSuffix(filepath.ToSlash(input), "/"))
	if name == "index.html" || name == "." {
		if abs, err := filepath.Abs(input); err == nil && !addr.IsRemote(input) {
			name = filepath.Base(strings.TrimSuffix(abs, "/index.html"))
		}
	}
	name = strings.Trim(notInID.ReplaceAllString(strings.TrimSuffix(name, path.Ext(name)), "-"), "-")
	name = cmp.Or(name[:min(40, len(name))], "render")
	suffix := make([]byte, 3)
	rand.Read(suffix)
	return fmt.Sprintf("%s-%s-%s", name, time.Now().UTC().Format("20060102-150405"), hex.EncodeToString(suffix))
}
