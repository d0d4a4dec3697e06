package job_test

import (
	"math/rand/v2"
	"testing"

	"helios/shared/job"
)

func seconds(t *testing.T, text string) job.Seconds {
	t.Helper()
	s, err := job.ParseSeconds(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rate(t *testing.T, text string) job.Rate {
	t.Helper()
	r, err := job.ParseRate(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFrames(t *testing.T) {
	for _, c := range []struct {
		duration, fps string
		want          int64
	}{
		{"2", "30", 60},
		{"0.1", "30", 3},
		{"0.3", "30", 9},
		{"0.1", "29.97", 3},
		{"0.5", "30000/1001", 15},
		{"1.001", "30000/1001", 30},
		{"1.001000001", "30000/1001", 31},
		{"1", "30000/1001", 30},
		{"24h", "60", 5_184_000},
		{"24h", "60000/1001", 5_178_822},
		{"1000h", "1000", 3_600_000_000},
		{"1ns", "30", 1},
		{"0", "30", 0},
	} {
		if got := job.Frames(seconds(t, c.duration), rate(t, c.fps)); got != c.want {
			t.Errorf("%s s at %s fps are %d frames, want %d", c.duration, c.fps, got, c.want)
		}
	}
}

func TestLengthIsTheInverseOfFrames(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		fps, err := job.NewRate(1+random.Int64N(120_000), 1001)
		if err != nil {
			continue
		}
		frames := 1 + random.Int64N(1+job.Frames(job.SecondsOf(job.MaxLength), fps)/2)
		length, err := job.Length(frames, fps)
		if err != nil {
			t.Fatal(err)
		}
		if got := job.Frames(length, fps); got != frames {
			t.Fatalf("%d frames at %s fps last %s s, which are %d frames", frames, fps, length, got)
		}
	}
}

func TestLengthRefusesTooMany(t *testing.T) {
	if got, err := job.Length(1<<53, job.Rate{Num: 60, Den: 1}); err == nil {
		t.Errorf("2^53 frames last %s s, want an error", got)
	}
}
