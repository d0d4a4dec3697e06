package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"helios/shared/browser"
	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/render"
)

// finding is what the doctor found about one thing that a render needs.
type finding struct {
	name, state string
	ok          bool
	fix         string // the command that mends it
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
				if !f.ok {
					mark = "missing"
					sick++
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-8s %-9s %s\n", mark, f.name, f.state)
				if !f.ok {
					fmt.Fprintf(cmd.OutOrStdout(), "%18s fix: %s\n", "", f.fix)
				}
			}
			if sick > 0 {
				return fault.Userf("%d of the things that a render needs are missing; the fixes are above", sick)
			}
			return nil
		},
	}
}

func examine(ctx context.Context) []finding {
	list := []finding{examineChromium(ctx)}
	list = append(list, examineFFmpeg(ctx)...)
	return append(list,
		examineFont(ctx, "text", "", "fonts-noto-core"),
		examineFont(ctx, "CJK", ":lang=ja", "fonts-noto-cjk"),
		examineFont(ctx, "emoji", "emoji", "fonts-noto-color-emoji"),
		examineMemory())
}

// examineChromium starts Chromium: a version number does not tell whether it runs.
func examineChromium(ctx context.Context) finding {
	f := finding{name: "chromium", fix: browser.InstallHint}
	b, err := browser.Launch(ctx, browser.Options{})
	if err != nil {
		f.state = err.Error()
		return f
	}
	defer b.Close()
	f.ok, f.state = true, b.Version()
	return f
}

func examineFFmpeg(ctx context.Context) []finding {
	f := finding{name: "ffmpeg", fix: encode.InstallHint}
	path, err := encode.Find()
	if err == nil {
		f.state, err = encode.Version(ctx, path)
	}
	if err != nil {
		f.state = err.Error()
		return []finding{f}
	}
	f.ok = true
	has, err := encode.Encoders(ctx, path)
	encoders := finding{name: "encoders", ok: err == nil, fix: encode.InstallHint}
	if err != nil {
		encoders.state = err.Error()
	}
	var missing []string
	for _, name := range encode.Codecs() {
		if !has[name] {
			missing = append(missing, name)
		}
	}
	encoders.state = strings.Join(encode.Codecs(), ", ")
	if len(missing) > 0 {
		encoders.ok, encoders.state = false, "this ffmpeg lacks "+strings.Join(missing, ", ")
	}
	return []finding{f, encoders}
}

// examineFont asks fontconfig, as Chromium does, for a font.
func examineFont(ctx context.Context, name, pattern, pkg string) finding {
	f := finding{name: "font " + name, fix: "apt-get install -y fontconfig " + pkg}
	out, err := exec.CommandContext(ctx, "fc-match", "--format=%{family}", pattern).Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		f.state = "fc-match is not installed"
	case err != nil:
		f.state = err.Error()
	default:
		f.state = string(out)
		f.ok = f.state != "" && (name != "emoji" || strings.Contains(f.state, "Emoji")) && (name != "CJK" || strings.Contains(f.state, "CJK"))
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
		state: fmt.Sprintf("%.1f GB free, enough for %d workers", float64(free)/(1<<30), render.DefaultWorkers()),
	}
}
