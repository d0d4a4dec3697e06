package webm

import (
	"bytes"
	"context"

	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/store"
)

// These limits are far above what muxers write. They protect against files with wrong sizes. maxHead also limits the
// comment.
const (
	maxHead   = 16 << 20
	maxTracks = 16
)

// millisecond is the only supported unit of timestamps, in nanoseconds.
const millisecond = 1e6

// movie is a file without its frames.
type movie struct {
	stitch.Source
	segment stitch.Extent // the content of the element
	tracks  []track
	comment string
	frames  int64 // the number of frames of the first track
	// coding is the result of vp9Coding for the first frame. All chunks of an output must have the same one. The track
	// entry does not contain these settings.
	coding string
	// blocks are the blocks of the first track, or nil if they do not fit into the budget.
	blocks []block
}

func (m *movie) info() Info {
	t := m.tracks[0]
	info := Info{
		Info: stitch.Info{
			Frames: m.frames, Width: t.width, Height: t.height, Codec: t.codec, Bytes: m.Bytes, Comment: m.comment,
		},
		FPS: t.rate(), Alpha: t.alpha,
	}
	if len(m.tracks) > 1 {
		info.AudioCodec = m.tracks[1].codec
	}
	return info
}

// inspect reads a file. It keeps the blocks if the budget allows.
func inspect(ctx context.Context, st store.Store, name string, budget *budget) (*movie, error) {
	f, err := stitch.Open(ctx, st, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &movie{Source: f.Source}
	w := stitch.NewWindow(f, windowSize)
	if err := m.readHead(w); err != nil {
		return nil, stitch.Named(name, err)
	}
	if err := m.readBlocks(ctx, w, budget); err != nil {
		return nil, stitch.Named(name, err)
	}
	return m, nil
}

// readHead reads the elements that describe the file.
func (m *movie) readHead(w *stitch.Window) error {
	if m.Bytes == 0 {
		return stitch.Errorf(stitch.NotVideo, "is empty")
	}
	start, err := w.Bytes(stitch.Extent{Size: min(16, m.Bytes)})
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(start, appendID(nil, idEBML)) {
		return stitch.Errorf(stitch.NotVideo, "is not a WebM file: it starts with %q", start)
	}
	for e, err := range elements(w, stitch.Extent{Size: m.Bytes}) {
		if err != nil {
			return err
		}
		if e.id == idSegment {
			m.segment = e.body
			break
		}
	}
	for e, err := range elements(w, m.segment) {
		if err != nil {
			return err
		}
		switch e.id {
		case idInfo, idTracks, idTags:
			if e.body.Size > maxHead {
				return stitch.Errorf(stitch.Damaged, "has an element 0x%X of %d bytes, at most %d are allowed",
					e.id, e.body.Size, maxHead)
			}
			b, err := w.Bytes(e.body)
			if err != nil {
				return err
			}
			if err := m.parse(e.id, bytes.Clone(b)); err != nil {
				return err
			}
		}
	}
	if len(m.tracks) == 0 {
		return stitch.Errorf(stitch.NotVideo, "has no tracks")
	}
	return nil
}

// parse parses the content of a top-level element.
func (m *movie) parse(name id, body []byte) error {
	for f := range fields(body) {
		switch {
		case name == idInfo && f.id == idTimestampScale && number(f.body) != millisecond:
			return stitch.Errorf(stitch.Unsupported, "has timestamps in units of %d ns, want %d",
				number(f.body), int64(millisecond))
		case name == idTracks && f.id == idTrackEntry:
			if len(m.tracks) == maxTracks {
				return stitch.Errorf(stitch.Unsupported, "has more than %d tracks", maxTracks)
			}
			m.tracks = append(m.tracks, parseTrack(f.body))
		case name == idTags && f.id == idTag:
			if text, ok := comment(f.body); ok {
				m.comment = text
			}
		}
	}
	return nil
}

// comment returns the comment in a tag of the file. Tags of a track are ignored.
func comment(tag []byte) (text string, ok bool) {
	for f := range fields(tag) {
		if f.id == idTargets {
			for target := range fields(f.body) {
				if target.id == idTagTrackID && number(target.body) != 0 {
					return "", false
				}
			}
		}
		if f.id == idSimpleTag {
			var name, value string
			for part := range fields(f.body) {
				switch part.id {
				case idTagName:
					name = string(part.body)
				case idTagString:
					value = string(part.body)
				}
			}
			if name == "COMMENT" {
				text, ok = value, true
			}
		}
	}
	return text, ok
}

// checkVideo checks that the file has a usable video track and at most one audio track.
func (m *movie) checkVideo() error {
	switch {
	case m.tracks[0].kind != videoTrack:
		return stitch.Errorf(stitch.NotVideo, "has no video track")
	case len(m.tracks) > 2 || len(m.tracks) == 2 && m.tracks[1].kind != audioTrack:
		return stitch.Errorf(stitch.Unsupported, "has %d tracks, want one video track only", len(m.tracks))
	case m.tracks[0].rate() == job.Rate{}:
		return stitch.Errorf(stitch.Unsupported, "does not state the duration of a frame")
	case m.tracks[0].width == 0 || m.tracks[0].height == 0:
		return stitch.Errorf(stitch.Damaged, "does not state the size of a frame")
	}
	return nil
}
