package encode

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"helios/shared/job"
)

// RepeatFrame and writing the same frame again produce the same bytes.
func TestRepeatFrame(t *testing.T) {
	patterns := [][]int{{1}, {1, 1}, {2, 1}, {1, 2, 1}, {40, 1, 3, 25, 1}}
	for _, codec := range Codecs() {
		compareRepeated(t, configOf(codec), patterns[len(patterns)-1])
	}
	for _, fps := range []job.Rate{{Num: 30000, Den: 1001}, {Num: 1, Den: 60}, {Num: 2997, Den: 125}} {
		c := config()
		c.FPS = fps
		for _, repeats := range patterns {
			compareRepeated(t, c, repeats)
		}
	}
}

// compareRepeated encodes frames twice: it writes frame i repeats[i] times, or once and repeats it.
func compareRepeated(t *testing.T, c job.Config, repeats []int) {
	t.Helper()
	list := frames(t, len(repeats), c.Width, c.Height)
	var all [][]byte
	for i, n := range repeats {
		all = append(all, slices.Repeat([][]byte{list[i]}, n)...)
	}
	written, repeated := filepath.Join(t.TempDir(), "written"), filepath.Join(t.TempDir(), "repeated")
	encode(t, c, all, written)
	encodeRepeated(t, c, list, repeats, repeated)
	want, err := os.ReadFile(written)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(repeated)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s at %s: RepeatFrame, with repeats %v, produces other bytes than WriteFrame",
			c.VideoCodec, c.FPS, repeats)
	}
}
