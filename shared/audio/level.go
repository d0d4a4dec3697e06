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

// level is the gain that is applied to the mix.
type level struct {
	gain    float64
	limited bool // whether the limiter keeps peaks below the ceiling
}

// pipe runs a program with the mix as its standard input.
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

// write writes the mix at a level.
func (m *mix) write(ctx context.Context, w io.Writer, l level) error {
	var raw []byte
	for at := int64(0); at < m.length; at += blockLength {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(blockLength, m.length-at)
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
			values[i] = clampSample(v)
		}
		raw = appendSamples(raw[:0], values)
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
	return nil
}

// clampSample clips a value to full scale. It replaces NaN by silence.
func clampSample(v float32) float32 {
	if v != v {
		return 0
	}
	return min(max(v, -1), 1)
}

const (
	// loudnessTolerance is the accepted difference from the target loudness, in LU.
	loudnessTolerance = 0.05
	// loudnessAttempts limits how often the loudness is measured. Limiting lowers the loudness, so the next attempt raises
	// the gain again.
	loudnessAttempts = 8
	// silence is the loudness that the meter reports for silence, in LUFS.
	silence = -70
)

// normalise returns the level at which the mix has the target loudness, in LUFS.
func (m *mix) normalise(ctx context.Context, target float64) (level, error) {
	l := level{gain: 1}
	for range loudnessAttempts {
		loudness, err := m.loudness(ctx, l)
		if err != nil {
			return l, fmt.Errorf("measuring the loudness: %w", err)
		}
		if loudness <= silence {
			return level{gain: 1}, nil
		}
		difference := target - loudness
		if l.limited && math.Abs(difference) < loudnessTolerance {
			break
		}
		l = level{l.gain * math.Pow(10, difference/20), true}
	}
	return l, nil
}

// loudness measures the integrated loudness of the mix by EBU R 128, in LUFS.
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
		return silence, nil // the mix is too short to be measured
	}
	return strconv.ParseFloat(last.value, 64)
}

// lastValue is an [io.Writer] that keeps the value of the last line "KEY=VALUE".
type lastValue struct {
	key   []byte // with the equals sign
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
