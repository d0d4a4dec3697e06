package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/render"
)

// diagnosis is the result of one check of this machine.
type diagnosis struct {
	name, state string
	ok          bool
	required    bool // a render fails without it
	remedy      string
}

func newDoctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check whether this machine can render, and print how to fix what is missing",
		Args:  userArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			missing := 0
			for _, d := range diagnose(cmd.Context()) {
				status := "ok"
				switch {
				case !d.ok && d.required:
					status = "missing"
					missing++
				case !d.ok:
					status = "advice"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-8s%-12s%s\n", status, d.name, d.state)
				if !d.ok && !strings.Contains(d.state, d.remedy) {
					fmt.Fprintf(cmd.OutOrStdout(), "%20sfix: %s\n", "", d.remedy)
				}
			}
			if missing > 0 {
				return fault.Userf("this machine cannot render: see what is missing above")
			}
			return nil
		},
	}
}

func diagnose(ctx context.Context) []diagnosis {
	list := []diagnosis{checkChromium(ctx)}
	list = append(list, checkFFmpeg(ctx)...)
	return append(list,
		checkFont(ctx, "text", "", "", "fonts-noto-core"),
		checkFont(ctx, "CJK", ":lang=ja", "CJK", "fonts-noto-cjk"),
		checkFont(ctx, "emoji", "emoji", "Emoji", "fonts-noto-color-emoji"),
		checkMemory())
}

// checkChromium captures a page, because a version number does not show whether Chromium runs and has the features
// that a render requires.
func checkChromium(ctx context.Context) diagnosis {
	d := diagnosis{name: "chromium", required: true, remedy: browser.InstallHint}
	version, err := capture.Probe(ctx)
	if err != nil {
		d.state = err.Error()
		return d
	}
	d.ok, d.state = true, version
	return d
}

// checkFFmpeg checks that ffmpeg runs, and then that it has all encoders.
func checkFFmpeg(ctx context.Context) []diagnosis {
	d := diagnosis{name: "ffmpeg", required: true, remedy: ffmpeg.InstallHint}
	path, err := ffmpeg.Find()
	if err == nil {
		d.state, err = ffmpeg.Version(ctx, path)
	}
	if err != nil {
		d.state = err.Error()
		return []diagnosis{d}
	}
	d.ok = true
	return []diagnosis{d, checkEncoders(ctx, path)}
}

func checkEncoders(ctx context.Context, path string) diagnosis {
	d := diagnosis{name: "encoders", required: true, remedy: ffmpeg.InstallHint}
	available, err := encode.Encoders(ctx, path)
	if err != nil {
		d.state = err.Error()
		return d
	}
	missing := slices.DeleteFunc(encode.Codecs(), func(name string) bool { return available[name] })
	if len(missing) > 0 {
		d.state = "this ffmpeg lacks " + strings.Join(missing, ", ")
		return d
	}
	d.ok, d.state = true, strings.Join(encode.Codecs(), ", ")
	return d
}

// checkFont asks fontconfig, as Chromium does, which font family matches pattern. The name of a suitable family
// contains part. Package pkg of Debian contains such a family.
func checkFont(ctx context.Context, name, pattern, part, pkg string) diagnosis {
	d := diagnosis{name: "font " + name, remedy: "apt-get install -y fontconfig " + pkg}
	out, err := exec.CommandContext(ctx, "fc-match", "--format=%{family}", pattern).Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		d.state = "fc-match is not installed"
	case err != nil:
		d.state = err.Error()
	default:
		d.state = string(out)
		d.ok = d.state != "" && strings.Contains(d.state, part)
		if !d.ok {
			d.state = fmt.Sprintf("none; Chromium falls back to %s", cmp.Or(d.state, "boxes"))
		}
	}
	return d
}

// checkMemory advises to free memory when less than 1 GiB is free.
func checkMemory() diagnosis {
	free, known := render.FreeMemory()
	if !known {
		return diagnosis{name: "memory", ok: true, state: "unknown on this system"}
	}
	return diagnosis{
		name: "memory", ok: free >= 1<<30,
		state:  fmt.Sprintf("%.1f GB free; %d workers by default", float64(free)/(1<<30), render.DefaultWorkers()),
		remedy: "close other programs, or use a machine with at least 2 GB free",
	}
}
