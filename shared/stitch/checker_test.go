package stitch

import (
	"errors"
	"testing"
)

func TestNewCheckerNeedsChunks(t *testing.T) {
	if _, err := NewChecker(nil, nil); err == nil || err.Error() != "there are no chunks to join" {
		t.Errorf("NewChecker = %v", err)
	}
}

// Check calls accept first, because its error usually explains why the chunks differ.
func TestCheckerCallsAcceptFirst(t *testing.T) {
	rejected := errors.New("rejected")
	c, err := NewChecker([]Chunk{{Name: "a", Frames: 2}}, func(Chunk, Info) error { return rejected })
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(Source{Name: "a"}, Info{Frames: 1}); err != rejected {
		t.Errorf("Check = %v, want the error of accept", err)
	}
}

func TestChecker(t *testing.T) {
	first := Info{Frames: 2, Width: 64, Height: 36, Codec: "avc1"}
	with := func(change func(*Info)) Info {
		info := first
		change(&info)
		return info
	}
	for _, tt := range []struct {
		info Info
		kind Kind
		want string
	}{
		{first, 0, ""},
		{with(func(i *Info) { i.Bytes, i.Comment = 1, "x" }), 0, ""},
		{with(func(i *Info) { i.Frames = 3 }), FrameCount, "b has 3 frames, want 2"},
		{with(func(i *Info) { i.Codec = "hvc1" }), Mismatch, "b is hvc1, but a is avc1"},
		{with(func(i *Info) { i.Width = 66 }), Mismatch, "b is 66x36, but a is 64x36"},
	} {
		c, err := NewChecker([]Chunk{{Name: "a"}, {Name: "b", Frames: 2}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(Source{Name: "a"}, first); err != nil {
			t.Fatal(err)
		}
		err = c.Check(Source{Name: "b"}, tt.info)
		var e *ChunkError
		if tt.want == "" {
			if err != nil {
				t.Errorf("Check(%+v) = %v", tt.info, err)
			}
		} else if !errors.As(err, &e) || e.Kind != tt.kind || err.Error() != tt.want {
			t.Errorf("Check(%+v) = %v, want %s", tt.info, err, tt.want)
		}
	}
}
