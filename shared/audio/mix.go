package audio

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"helios/shared/job"
)

// mix is the sum of the tracks, in a temporary file. Where no track was added, it is silent.
type mix struct {
	start  *big.Rat // the start of the output in the composition, in seconds
	length int64    // the length of the output, in samples
	folder string   // the folder of temporary files
	file   *os.File
}

// span is the time in which a track plays, in samples of the output. begin is negative if the track starts before the
// output.
type span struct{ begin, end int64 }

// span returns the span of a track as if its source had no end. The span ends no later than the output.
func (m *mix) span(t job.Track) span {
	at := new(big.Rat).Sub(t.Offset.Rat(), m.start)
	s := span{round(samplesAt(at)), m.length}
	if !t.Duration.IsZero() {
		s.end = min(s.end, round(samplesAt(at.Add(at, t.Duration.Rat()))))
	}
	return s
}

// group contains the tracks that play the same section.
type group struct {
	section section
	limit   int64 // the number of samples that the tracks need
	tracks  []audible
	clip    chan *clip // receives the decoded section; nil if decoding failed
}

// audible is a track that plays in the output.
type audible struct {
	job.Track
	span
}

// first returns the index of the section's sample that plays first.
func (a audible) first() int64 {
	if !a.Loop {
		return 0
	}
	return round(new(big.Rat).Quo(samplesAt(a.Seek.Rat()), speed(a.Rate)))
}

// groups groups the tracks that play in the output by section.
func (m *mix) groups(tracks []job.Track) (list []*group) {
	known := map[section]*group{}
	for _, t := range tracks {
		a := audible{t, m.span(t)}
		if a.end <= max(a.begin, 0) || t.Volume == 0 {
			continue
		}
		s := sectionOf(t)
		g := known[s]
		if g == nil {
			g = &group{section: s, clip: make(chan *clip, 1)}
			known[s] = g
			list = append(list, g)
		}
		g.limit = max(g.limit, a.end-a.begin+a.first())
		g.tracks = append(g.tracks, a)
	}
	return list
}

// addAll adds the tracks. It decodes sections concurrently, but adds one track after the other: the sum of floats
// depends on the order.
func (m *mix) addAll(ctx context.Context, tracks []job.Track) error {
	if err := m.file.Truncate(m.length * sampleSize); err != nil {
		return writeError(m.folder, err)
	}
	work, ctx := errgroup.WithContext(ctx)
	queue := make(chan *group, runtime.NumCPU())
	work.Go(func() error {
		defer close(queue)
		for _, g := range m.groups(tracks) {
			select {
			case queue <- g:
			case <-ctx.Done():
				return nil
			}
			work.Go(func() error {
				c, err := decode(ctx, g.section, g.limit, m.folder)
				g.clip <- c
				return err
			})
		}
		return nil
	})
	work.Go(func() (err error) {
		for g := range queue {
			c := <-g.clip
			if c == nil {
				continue
			}
			for _, a := range g.tracks {
				if err == nil {
					err = m.add(ctx, a, c)
				}
			}
			c.close()
		}
		return err
	})
	return work.Wait()
}

// add adds a track to the mix.
func (m *mix) add(ctx context.Context, a audible, c *clip) error {
	if c.length == 0 {
		return nil
	}
	if !a.Loop {
		a.end = min(a.end, a.begin+c.length)
	}
	e := envelope{a.Volume, round(samplesAt(a.FadeIn.Rat())), round(samplesAt(a.FadeOut.Rat()))}
	for at := max(a.begin, 0); at < a.end; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(blockLength, a.end-at)
		k := a.first() + at - a.begin
		if a.Loop {
			k %= c.length
			n = min(n, c.length-k)
		}
		sound, err := c.read(k, n)
		if err != nil {
			return err
		}
		sum, err := readSamples(m.file, at, n)
		if err != nil {
			return err
		}
		for i := range n {
			gain := e.at(at+i-a.begin, a.end-at-i)
			for ch := range int64(Channels) {
				sum[i*Channels+ch] += float32(float64(sound[i*Channels+ch]) * gain)
			}
		}
		if _, err := m.file.WriteAt(appendSamples(nil, sum), at*sampleSize); err != nil {
			return writeError(m.folder, err)
		}
		at += n
	}
	return nil
}

// envelope is the gain of a track over time. Fades are in samples.
type envelope struct {
	volume          float64
	fadeIn, fadeOut int64
}

// at returns the gain of a sample. before is the number of samples that precede it. left is the number of remaining
// samples, including it.
func (e envelope) at(before, left int64) float64 {
	gain := e.volume
	if before < e.fadeIn {
		gain *= float64(before) / float64(e.fadeIn)
	}
	if left < e.fadeOut {
		gain *= float64(left) / float64(e.fadeOut)
	}
	return gain
}

// blockLength is the number of samples that are processed at a time.
const blockLength = 1 << 16

// readSamples reads n samples. Outside of the file, all samples are silent.
func readSamples(r io.ReaderAt, at, n int64) ([]float32, error) {
	raw := make([]byte, n*sampleSize)
	skip := min(max(-at, 0), n)
	if _, err := r.ReadAt(raw[skip*sampleSize:], (at+skip)*sampleSize); err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading a temporary file: %w", err)
	}
	values := make([]float32, n*Channels)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return values, nil
}

func appendSamples(b []byte, values []float32) []byte {
	b = slices.Grow(b, 4*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}
