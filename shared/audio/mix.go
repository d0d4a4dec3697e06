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

// mix is the sum of all tracks, in a scratch file that is silent where nothing was added.
type mix struct {
	start  *big.Rat // of the output in the composition, in seconds
	length int64    // of the output, in samples
	folder string   // where scratch files go
	file   *os.File
}

// part is where a track is heard: from begin, which may lie before the output, to end, in samples of the output.
type part struct{ begin, end int64 }

// part returns where a track would be heard if its source were long enough, cut off where the output ends.
func (m *mix) part(t job.Track) part {
	at := new(big.Rat).Sub(t.Offset.Rat(), m.start)
	p := part{nearest(samplesAt(at)), m.length}
	if !t.Duration.IsZero() {
		p.end = min(p.end, nearest(samplesAt(at.Add(at, t.Duration.Rat()))))
	}
	return p
}

// group is tracks that are heard in the output and need the same cut.
type group struct {
	cut    cut
	limit  int64 // how much of it, in samples
	tracks []heard
	clip   chan *clip // gets one
}

// heard is a track and where it is heard.
type heard struct {
	job.Track
	part
}

// first returns the sample of the cut that is heard first.
func (h heard) first() int64 {
	if !h.Loop {
		return 0
	}
	return nearest(new(big.Rat).Quo(samplesAt(h.Seek.Rat()), speed(h.Rate)))
}

// groups returns what has to be decoded.
func (m *mix) groups(tracks []job.Track) (list []*group) {
	known := map[cut]*group{}
	for _, t := range tracks {
		h := heard{t, m.part(t)}
		if h.end <= max(h.begin, 0) || t.Volume == 0 {
			continue
		}
		c := cutOf(t)
		g := known[c]
		if g == nil {
			g = &group{cut: c, clip: make(chan *clip, 1)}
			known[c] = g
			list = append(list, g)
		}
		g.limit = max(g.limit, h.end-h.begin+h.first())
		g.tracks = append(g.tracks, h)
	}
	return list
}

// addAll adds the tracks one by one, so that the sum is the same each time. Those that come next are decoded
// meanwhile.
func (m *mix) addAll(ctx context.Context, tracks []job.Track) error {
	if err := m.file.Truncate(m.length * sampleSize); err != nil {
		return unwritable(m.folder, err)
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
				c, err := decode(ctx, g.cut, g.limit, m.folder)
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
			for _, h := range g.tracks {
				if err == nil {
					err = m.add(ctx, h, c)
				}
			}
			c.close()
		}
		return err
	})
	return work.Wait()
}

// add adds a track to the mix.
func (m *mix) add(ctx context.Context, h heard, c *clip) error {
	if c.length == 0 {
		return nil
	}
	if !h.Loop {
		h.end = min(h.end, h.begin+c.length)
	}
	e := envelope{h.Volume, nearest(samplesAt(h.FadeIn.Rat())), nearest(samplesAt(h.FadeOut.Rat()))}
	for at := max(h.begin, 0); at < h.end; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(blockLength, h.end-at)
		k := h.first() + at - h.begin
		if h.Loop {
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
			gain := e.at(at+i-h.begin, h.end-at-i)
			for ch := range int64(Channels) {
				sum[i*Channels+ch] += float32(float64(sound[i*Channels+ch]) * gain)
			}
		}
		if _, err := m.file.WriteAt(appendSamples(nil, sum), at*sampleSize); err != nil {
			return unwritable(m.folder, err)
		}
		at += n
	}
	return nil
}

// envelope is the level of a track over its time; fades are in samples.
type envelope struct {
	volume          float64
	fadeIn, fadeOut int64
}

// at returns the level of the sample that so many others precede, and so many follow, itself among them.
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

// blockLength is how many samples are worked on at once.
const blockLength = 1 << 16

// readSamples reads n samples from a place in a file. What is not there is silence.
func readSamples(r io.ReaderAt, at, n int64) ([]float32, error) {
	raw := make([]byte, n*sampleSize)
	skip := min(max(-at, 0), n)
	if _, err := r.ReadAt(raw[skip*sampleSize:], (at+skip)*sampleSize); err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading a scratch file: %w", err)
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
