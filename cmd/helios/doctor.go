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

// finding is what the doctor found about one thing that a render needs.
type finding struct {
	name, state string
	ok          bool
	needed      bool   // without it nothing can be rendered
	fix         string // what mends it
}

func newDoctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check that this machine has what a render needs, and tell what fixes it",
		Args:  userArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			sick := 0
			for _, f := range examine(cmd.Context()) {
				mark := "ok"
				switch {
				case !f.ok && f.needed:
					mark = "missing"
					sick++
				case !f.ok:
					mark = "advice"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-8s%-12s%s\n", mark, f.name, f.state)
				if !f.ok && !strings.Contains(f.state, f.fix) {
					fmt.Fprintf(cmd.OutOrStdout(), "%20sfix: %s\n", "", f.fix)
				}
			}
			if sick > 0 {
				return fault.Userf("this machine cannot render; what is missing, and what mends it, is above")
			}
			return nil
		},
	}
}

func examine(ctx context.Context) []finding {
	list := []finding{examineChromium(ctx)}
	list = append(list, examineFFmpeg(ctx)...)
	return append(list,
		examineFont(ctx, "text", "", "", "fonts-noto-core"),
		examineFont(ctx, "CJK", ":lang=ja", "CJK", "fonts-noto-cjk"),
		examineFont(ctx, "emoji", "emoji", "Emoji", "fonts-noto-color-emoji"),
		examineMemory())
}

// examineChromium captures a page: a version number does not say whether Chromium runs and has what a render needs.
func examineChromium(ctx context.Context) finding {
	version, err := capture.Probe(ctx)
	if err != nil {
		return finding{name: "chromium", needed: true, fix: browser.InstallHint, state: err.Error()}
	}
	return finding{name: "chromium", needed: true, ok: true, state: version}
}

func examineFFmpeg(ctx context.Context) []finding {
	f := finding{name: "ffmpeg", needed: true, fix: ffmpeg.InstallHint}
	path, err := ffmpeg.Find()
	if err == nil {
		f.state, err = ffmpeg.Version(ctx, path)
	}
	if err != nil {
		f.state = err.Error()
		return []finding{f}
	}
	f.ok = true
	return []finding{f, examineEncoders(ctx, path)}
}

func examineEncoders(ctx context.Context, path string) finding {
	f := finding{name: "encoders", needed: true, fix: ffmpeg.InstallHint}
	has, err := encode.Encoders(ctx, path)
	if err != nil {
		f.state = err.Error()
		return f
	}
	missing := slices.DeleteFunc(encode.Codecs(), func(name string) bool { return has[name] })
	if len(missing) > 0 {
		f.state = "this ffmpeg lacks " + strings.Join(missing, ", ")
		return f
	}
	f.ok, f.state = true, strings.Join(encode.Codecs(), ", ")
	return f
}

// examineFont asks fontconfig, as Chromium does, for a font, whose name must have a part.
func examineFont(ctx context.Context, name, pattern, part, pkg string) finding {
	f := finding{name: "font " + name, fix: "apt-get install -y fontconfig " + pkg}
	out, err := exec.CommandContext(ctx, "fc-match", "--format=%{family}", pattern).Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		f.state = "fc-match is not installed"
	case err != nil:
		f.state = err.Error()
	default:
		f.state = string(out)
		f.ok = f.state != "" && strings.Contains(f.state, part)
		if !f.ok {
			f.state = fmt.Sprintf("none; %s stands in", cmp.Or(f.state, "nothing"))
		}
	}
	return f
}

func examineMemory() finding {
	free, known := render.FreeMemory()
	if !known {
		return finding{name: "memory", ok: true, state: "unknown on this system"}
	}
	return finding{
		name: "memory", ok: free >= 1<<30, fix: "close other programs, or use a machine with at least 2 GB free",
		state: fmt.Sprintf("%.1f GB free; %d workers by default", float64(free)/(1<<30), render.DefaultWorkers()),
	}
}
