package encode

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"helios/shared/job"
)

// A frame that is repeated gives the same chunk as one that is written again, to the byte.
func TestRepeatFrame(t *testing.T) {
	holds := [][]int{{1}, {1, 1}, {2, 1}, {1, 2, 1}, {40, 1, 3, 25, 1}}
	for _, codec := range Codecs() {
		checkRepeated(t, configOf(codec), holds[len(holds)-1])
	}
	for _, fps := range []job.Rate{{Num: 30000, Den: 1001}, {Num: 1, Den: 60}, {Num: 2997, Den: 125}} {
		c := config()
		c.FPS = fps
		for _, shown := range holds {
			checkRepeated(t, c, shown)
		}
	}
}

// checkRepeated encodes pictures that are each shown for so many frames, in both ways.
func checkRepeated(t *testing.T, c job.Config, shown []int) {
	t.Helper()
	list := frames(t, len(shown), c.Width, c.Height)
	var all [][]byte
	for i, n := range shown {
		all = append(all, slices.Repeat([][]byte{list[i]}, n)...)
	}
	whole, sparing := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "sparing")
	encode(t, c, all, whole)
	encodeHolds(t, c, list, shown, sparing)
	want, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(sparing)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s at %s: frames that are shown %v times make another chunk than when each is written", c.VideoCodec, c.FPS, shown)
	}
}
