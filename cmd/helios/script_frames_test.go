package main

import (
	"fmt"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptFrames checks properties of the frames of a file of any format, and that the bottom of every frame has the
// colour #0af:
//
//	frames out.gif count=4 codec=gif size=64x36
func scriptFrames(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: frames FILE KEY=VALUE...")
	}
	var found struct {
		Streams []struct {
			Codec         string `json:"codec_name"`
			Width, Height int
		}
	}
	file := probeStreams(ts, args[0], &found)
	if len(found.Streams) != 1 {
		ts.Fatalf("%s has %d streams, want 1", args[0], len(found.Streams))
	}
	pixels, err := exec.Command("ffmpeg", "-v", "error", "-i", file, "-fps_mode", "passthrough",
		"-vf", "crop=iw:2:0:ih-2,scale=1:1:flags=area,format=rgb24", "-f", "rawvideo", "-").Output()
	ts.Check(err)
	for frame := range len(pixels) / 3 {
		red, green, blue := int(pixels[3*frame]), int(pixels[3*frame+1]), int(pixels[3*frame+2])
		if red > 12 || max(green-170, 170-green) > 12 || blue < 243 {
			ts.Fatalf("%s: frame %d is rgb(%d, %d, %d), want #0af", args[0], frame, red, green, blue)
		}
	}
	s := found.Streams[0]
	got := map[string]string{
		"count": fmt.Sprint(len(pixels) / 3), "codec": s.Codec, "size": fmt.Sprintf("%dx%d", s.Width, s.Height),
	}
	for _, arg := range args[1:] {
		if key, want, _ := strings.Cut(arg, "="); got[key] != want {
			ts.Fatalf("%s: %s is %q, want %s", args[0], key, got[key], want)
		}
	}
}
