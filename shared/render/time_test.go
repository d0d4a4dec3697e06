package render

import (
	"math"
	"testing"

	"helios/shared/capture"
	"helios/shared/job"
	"helios/shared/plan"
)

// In frame n, all clocks of the page show n/fps, in all partitions.
func TestExactTimes(t *testing.T) {
	for _, rate := range []string{"24", "25", "30", "60", "30000/1001"} {
		t.Run(rate, func(t *testing.T) {
			fps, err := job.ParseRate(rate)
			if err != nil {
				t.Fatal(err)
			}
			const count = 20
			video := renderPage(t, "../../examples/time-code.html", plan.Options{
				Config: job.Config{
					Width: 640, Height: 360, FPS: fps, FrameCount: count, SeekMode: job.SeekReplay,
				},
				Concurrency: 3,
			})
			gray := runFFmpeg(t, video, "-f", "rawvideo", "-pix_fmt", "gray", "-")
			if len(gray) != count*640*360 {
				t.Fatalf("ffmpeg decodes %d bytes, want %d frames", len(gray), count)
			}
			for n := range int64(count) {
				code := readTimeCode(t, gray[n*640*360:][:640*360])
				want := fps.Milliseconds(n)
				if code.frame != n {
					t.Errorf("frame %d displays the number %d", n, code.frame)
				}
				for name, got := range map[string]float64{"performance.now()": code.now, "the timestamp": code.timestamp} {
					if math.Abs(got-want) > 0.1 {
						t.Errorf("frame %d: %s is %v ms, want %v", n, name, got, want)
					}
				}
				// The time of a frame is rounded up to 0.1 ms, and Chromium rounds Date.now() to 0.1 ms before it truncates it.
				if date := float64(code.date - capture.Epoch*1000); date > want+0.2 || date < want-1 {
					t.Errorf("frame %d: Date.now() is %v ms after the epoch, want %v", n, date, want)
				}
			}
		})
	}
}

// timeCode is the content of examples/time-code.html. A comment there describes the cells.
type timeCode struct {
	frame          int64
	now, timestamp float64 // milliseconds
	date           int64   // milliseconds since 1970
}

func readTimeCode(t *testing.T, frame []byte) timeCode {
	t.Helper()
	var rows [7]uint32
	for r := range rows {
		for column := range 32 {
			rows[r] <<= 1
			if frame[(28+32*r)*640+72+16*column] > 127 {
				rows[r] |= 1
			}
		}
	}
	if check := rows[1] ^ rows[2] ^ rows[3] ^ rows[4] ^ rows[5]; rows[0] != 0xAAAAAAAA || check != rows[6] {
		t.Fatalf("the time code is invalid: % x", rows)
	}
	return timeCode{
		frame: int64(rows[1]), now: float64(rows[2]) / 100, timestamp: float64(rows[5]) / 100,
		date: int64(uint64(rows[3])<<32 | uint64(rows[4])),
	}
}
