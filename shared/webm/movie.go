package webm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/store"
)

// What lies beyond these limits no muxer writes; they stop files that lie. The comment of a file is far
// smaller than the head.
const (
	maxHead   = 16 << 20
	maxTracks = 16
)

// millisecond is the unit of time that all files have, in nanoseconds.
const millisecond = 1e6

// movie is what a file holds.
type movie struct {
	name    string
	size    int64
	segment extent // its content
	tracks  []track
	comment string
	frames  int64  // of the first track
	coding  string // what the first frame says of how all are coded, where the track does not
	// blocks are those of the first track, nil when there are too many to be kept.
	blocks []block
}

func (m *movie) info() Info {
	t := m.tracks[0]
	info := Info{
		Frames: m.frames, Width: t.width, Height: t.height, FPS: t.rate(), Codec: t.codec, Alpha: t.alpha,
		Bytes: m.size, Comment: m.comment,
	}
	if len(m.tracks) > 1 {
		info.Audio = m.tracks[1].codec
	}
	return info
}

// open opens a file and names the one that is missing.
func open(ctx context.Context, st store.Store, name string) (store.Reader, error) {
	r, err := st.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &stitch.ChunkError{Name: name, Kind: stitch.Missing, Detail: "is missing", Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("opening chunk %s: %w", name, err)
	}
	return r, nil
}

// inspect reads a file, all but its frames. If there is room for its blocks they are kept.
func inspect(ctx context.Context, st store.Store, name string, room *room) (*movie, error) {
	r, err := open(ctx, st, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	m := &movie{name: name, size: r.Size()}
	w := &window{r: r, size: m.size}
	if err := m.readHead(w); err != nil {
		return nil, named(name, err)
	}
	if err := m.count(ctx, w, room); err != nil {
		return nil, named(name, err)
	}
	return m, nil
}

// readHead reads what is not in clusters.
func (m *movie) readHead(w *window) error {
	if m.size == 0 {
		return refuse(stitch.NotVideo, "is empty")
	}
	start, err := w.bytes(extent{0, min(16, m.size)})
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(start, []byte{0x1A, 0x45, 0xDF, 0xA3}) {
		return refuse(stitch.NotVideo, "is not a WebM file: it begins with %q", start)
	}
	for e, err := range w.elements(extent{0, m.size}) {
		if err != nil {
			return err
		}
		if e.id == idSegment {
			m.segment = e.body
			break
		}
	}
	for e, err := range w.elements(m.segment) {
		if err != nil {
			return err
		}
		switch e.id {
		case idInfo, idTracks, idTags:
			if e.body.size > maxHead {
				return refuse(stitch.Damaged, "has an element %X of %d bytes, more than the %d that are allowed", e.id, e.body.size, maxHead)
			}
			b, err := w.bytes(e.body)
			if err != nil {
				return err
			}
			if err := m.readPart(e.id, bytes.Clone(b)); err != nil {
				return err
			}
		}
	}
	if len(m.tracks) == 0 {
		return refuse(stitch.NotVideo, "has no tracks")
	}
	return nil
}

func (m *movie) readPart(name id, body []byte) error {
	for f := range fields(body) {
		switch {
		case name == idInfo && f.id == idTimestampScale && number(f.body) != millisecond:
			return refuse(stitch.Unsuitable, "counts time in units of %d ns, want %d", number(f.body), int64(millisecond))
		case name == idTracks && f.id == idTrackEntry:
			if len(m.tracks) == maxTracks {
				return refuse(stitch.Unsuitable, "has more than %d tracks", maxTracks)
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

// comment finds the comment in a tag that is not about a track.
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

// isVideo makes sure that the file is one of video, perhaps with sound.
func (m *movie) isVideo() error {
	switch {
	case m.tracks[0].kind != videoTrack:
		return refuse(stitch.NotVideo, "has no video track")
	case len(m.tracks) > 2 || len(m.tracks) == 2 && m.tracks[1].kind != audioTrack:
		return refuse(stitch.Unsuitable, "has %d tracks, want one of video and no other", len(m.tracks))
	case m.tracks[0].rate() == job.Rate{}:
		return refuse(stitch.Unsuitable, "does not say how long a frame lasts")
	case m.tracks[0].width == 0 || m.tracks[0].height == 0:
		return refuse(stitch.Damaged, "has no size")
	}
	return nil
}
