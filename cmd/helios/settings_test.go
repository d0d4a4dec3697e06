package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"helios/shared/cloud"
	"helios/shared/job"
	"helios/shared/plan"
)

// settingSamples are values of the settings. Each is valid by itself.
var settingSamples = map[string]string{
	"width": "640", "height": "360", "scale": "2", "fps": "30000/1001", "seed": "7", "props": `{"a":"it's $5"}`,
	"timeout": "5", "duration": "1.5", "frameCount": "12", "startFrame": "3", "format": "gif", "videoCodec": "libx265",
	"preset": "medium", "quality": "0", "bitrate": "8000000", "gop": "15", "bitDepth": "10", "loop": "2",
	"audioCodec": "flac", "audioBitrate": "192000", "loudness": "-14.5", "seekMode": "direct", "capture": "screenshot",
	"transparent": "true", "allowMissingAssets": "true",
}

// A setting is the same as a flag, in the options, in the spec, and in the commands of the spec.
func TestSettingsSurviveTheirWayThroughASpec(t *testing.T) {
	for _, s := range job.Settings(job.OnRender) {
		t.Run(s.Name, func(t *testing.T) {
			sample := settingSamples[s.Name]
			if sample == "" {
				t.Fatal("add a sample to this test")
			}
			o := plan.Options{Tracks: []job.Track{{Source: "a.wav", Volume: 1}}, Concurrency: 2}
			o.Input = "a.html"
			render := new(cobra.Command)
			addSettings(render, &o.Config, job.OnRender)
			if err := render.Flags().Set(s.Flag(), sample); err != nil {
				t.Fatal(err)
			}
			if o.FrameCount == 0 && o.Duration.IsZero() {
				o.FrameCount = 20
			}
			spec, err := plan.New(o)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Value(&spec.Config).String(); got != sample {
				t.Errorf("the spec has %s, want %s", got, sample)
			}
			commands := map[job.Commands]string{job.OnChunk: spec.Partitions[0].Command}
			if spec.Audio != nil {
				commands[job.OnAudio] = spec.Audio.Command
			}
			if !spec.Config.Format.Video() {
				commands[job.OnMerge] = spec.Merge.Command
			}
			for on, command := range commands {
				var c job.Config
				cmd := new(cobra.Command)
				addSettings(cmd, &c, on)
				cmd.FParseErrWhitelist.UnknownFlags = true
				if err := cmd.ParseFlags(shellWords(t, command)); err != nil {
					t.Fatal(err)
				}
				for _, other := range job.Settings(on) {
					if got, want := other.Value(&c).String(), other.Value(&spec.Config).String(); got != want {
						t.Errorf("%s\nhas --%s %s, want %s", command, other.Flag(), got, want)
					}
				}
			}
		})
	}
}

// shellWords returns the arguments of helios in a command.
func shellWords(t *testing.T, command string) []string {
	t.Helper()
	out, err := exec.Command("sh", "-c", `helios() { printf '%s\0' "$@"; }; `+command).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func TestEverySettingHasAFlagAndIsInTheRequest(t *testing.T) {
	var request struct {
		Properties map[string]struct{ Description string }
	}
	if err := json.Unmarshal(cloud.RequestSchema(), &request); err != nil {
		t.Fatal(err)
	}
	root := newRoot()
	for on, path := range map[job.Commands]string{
		job.OnRender: "render", job.OnStill: "still", job.OnInspect: "inspect", job.OnMerge: "merge", job.OnAudio: "audio",
	} {
		cmd, _, err := root.Find([]string{path})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range job.Settings(on) {
			if cmd.Flags().Lookup(s.Flag()) == nil {
				t.Errorf("helios %s has no flag --%s", path, s.Flag())
			}
		}
	}
	cloudRender, _, err := root.Find([]string{"cloud", "render"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range job.Settings(job.OnRender) {
		if cloudRender.Flags().Lookup(s.Flag()) == nil {
			t.Errorf("helios cloud render has no flag --%s", s.Flag())
		}
		if request.Properties[s.Name].Description == "" {
			t.Errorf("the schema of requests does not describe %s", s.Name)
		}
	}
}
