package audio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strconv"

	"golang.org/x/sync/errgroup"

	"helios/shared/ffmpeg"
)

// level is how loud the mix is played.
type level struct {
	gain    float64
	limited bool // whether peaks are kept below the ceiling
}

// pipe runs a program and gives it the mix.
func (m *mix) pipe(ctx context.Context, cmd *exec.Cmd, l level) error {
	g, ctx := errgroup.WithContext(ctx)
	r, w := io.Pipe()
	cmd.Stdin = r
	g.Go(func() error {
		err := ffmpeg.Run(ctx, cmd)
		r.CloseWithError(err)
		return err
	})
	g.Go(func() error {
		err := m.write(ctx, w, l)
		w.CloseWithError(err)
		return err
	})
	return g.Wait()
}

// write writes the mix as it is heard.
func (m *mix) write(ctx context.Context, w io.Writer, l level) error {
	var raw []byte
	for at := int64(0); at < m.length; at += blockLength {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(blockLength, m.length-at)
		// The limiter looks at what comes before and after.
		margin := int64(0)
		if l.limited {
			margin = limitMargin
		}
		values, err := readSamples(m.file, at-margin, n+2*margin)
		if err != nil {
			return err
		}
		for i, v := range values {
			values[i] = float32(float64(v) * l.gain)
		}
		if l.limited {
			values = limit(values, ceiling)
		}
		for i, v := range values {
			values[i] = clipped(v)
		}
		raw = appendSamples(raw[:0], values)
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
	return nil
}

// clipped cuts off what is above full scale. What is no number is silence.
func clipped(v float32) float32 {
	if v != v {
		return 0
	}
	return min(max(v, -1), 1)
}

const (
	// closeEnough is by how many LU the loudness may be off.
	closeEnough = 0.05
	// attempts is how often the loudness is measured again after limiting took some of it away.
	attempts = 8
	// silence is the loudness, in LUFS, of what the meter takes for silence.
	silence = -70
)

// normalise finds the level at which the mix has a loudness, in LUFS.
func (m *mix) normalise(ctx context.Context, target float64) (level, error) {
	l := level{gain: 1}
	for range attempts {
		loudness, err := m.loudness(ctx, l)
		if err != nil {
			return l, fmt.Errorf("measuring the loudness: %w", err)
		}
		if loudness <= silence {
			return level{gain: 1}, nil
		}
		off := target - loudness
		if l.limited && math.Abs(off) < closeEnough {
			break
		}
		l = level{l.gain * math.Pow(10, off/20), true}
	}
	return l, nil
}

// loudness measures the mix by EBU R 128, in LUFS.
func (m *mix) loudness(ctx context.Context, l level) (float64, error) {
	args := append(append([]string{}, rawFormat...), "-i", "pipe:0",
		"-af", `ebur128=metadata=1,ametadata=mode=print:key=lavfi.r128.I:file=pipe\\:1`, "-f", "null", "-")
	cmd, err := ffmpeg.Command(args...)
	if err != nil {
		return 0, err
	}
	last := lastValue{key: []byte("lavfi.r128.I=")}
	cmd.Stdout = &last
	if err := m.pipe(ctx, cmd, l); err != nil {
		return 0, err
	}
	if last.value == "" {
		return silence, nil // shorter than what can be measured
	}
	return strconv.ParseFloat(last.value, 64)
}

// lastValue keeps what stands behind the key in the last of the lines that begin with it.
type lastValue struct {
	key   []byte
	line  []byte
	value string
}

func (l *lastValue) Write(b []byte) (int, error) {
	l.line = append(l.line, b...)
	for {
		line, rest, ok := bytes.Cut(l.line, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		if value, ok := bytes.CutPrefix(line, l.key); ok {
			l.value = string(bytes.TrimSpace(value))
		}
		l.line = append(l.line[:0], rest...)
	}
}
