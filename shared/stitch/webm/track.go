package webm

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"helios/shared/job"
)

// The values of TrackType.
const (
	videoTrack = 1
	audioTrack = 2
)

// track is a TrackEntry.
type track struct {
	fields        []field
	number        uint64
	kind          uint64 // TrackType
	codec         string
	width, height int
	alpha         bool
	duration      int64 // of a frame, in nanoseconds
}

func parseTrack(body []byte) track {
	t := track{fields: slices.Collect(fields(body))}
	for _, f := range t.fields {
		switch f.id {
		case idTrackNumber:
			t.number = number(f.body)
		case idTrackType:
			t.kind = number(f.body)
		case idCodecID:
			t.codec = string(f.body)
		case idDefaultDuration:
			t.duration = int64(min(number(f.body), math.MaxInt64))
		case idVideo:
			for f := range fields(f.body) {
				switch f.id {
				case idPixelWidth:
					t.width = int(number(f.body))
				case idPixelHeight:
					t.height = int(number(f.body))
				case idAlphaMode:
					t.alpha = number(f.body) == 1
				}
			}
		}
	}
	return t
}

// rate returns the frame rate for the duration of a frame: an integer or NTSC rate that matches it, or else the exact
// rate for the nanoseconds. It returns the zero Rate if the duration is missing or out of range.
func (t track) rate() job.Rate {
	if t.duration <= 0 {
		return job.Rate{}
	}
	n := int64(math.Round(1e9 / float64(t.duration)))
	for _, r := range []job.Rate{{Num: n, Den: 1}, {Num: n * 1000, Den: 1001}} {
		if matches(t.duration, r) {
			return r
		}
	}
	r, err := job.NewRate(1e9, t.duration)
	if err != nil {
		return job.Rate{}
	}
	return r
}

// matches reports whether frames at a rate have a duration, in nanoseconds, within 1 ns.
func matches(duration int64, fps job.Rate) bool {
	return fps.Num > 0 && math.Abs(1e9*float64(fps.Den)/float64(fps.Num)-float64(duration)) <= 1
}

// entry returns the TrackEntry for the output.
func (t track) entry(number byte) []byte {
	var b []byte
	for _, f := range t.fields {
		switch f.id {
		case idTrackNumber, idTrackUID:
			b = appendBytes(b, f.id, []byte{number})
		default:
			b = appendBytes(b, f.id, f.body)
		}
	}
	return appendBytes(nil, idTrackEntry, b)
}

// difference compares a track with that of the first chunk, o, which has the same codec and size. It returns "" if one
// track can contain frames of both. Otherwise the result completes a sentence that starts with the chunk's name.
func (t track) difference(o track, first string) string {
	switch {
	case t.duration != o.duration:
		return fmt.Sprintf("has %s frames per second, but %s has %s", t.rate(), first, o.rate())
	case t.alpha && !o.alpha:
		return fmt.Sprintf("is transparent, but %s is not", first)
	case !t.alpha && o.alpha:
		return fmt.Sprintf("is not transparent, but %s is", first)
	case !bytes.Equal(t.find(idCodecPrivate), o.find(idCodecPrivate)):
		return fmt.Sprintf("has different codec settings from %s", first)
	case !bytes.Equal(t.find(idVideo, idColour), o.find(idVideo, idColour)):
		return fmt.Sprintf("has different colours from %s", first)
	case !bytes.Equal(t.entry(1), o.entry(1)):
		return fmt.Sprintf("has a different track entry from %s", first)
	}
	return ""
}

// find returns the content of the first field with a path of IDs.
func (t track) find(path ...id) []byte {
	list := slices.Values(t.fields)
	for i, name := range path {
		var found []byte
		for f := range list {
			if f.id == name {
				found = f.body
				break
			}
		}
		if i == len(path)-1 {
			return found
		}
		list = fields(found)
	}
	return nil
}
