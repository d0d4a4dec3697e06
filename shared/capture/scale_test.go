package capture

import (
	"bytes"
	"fmt"
	"image/png"
	"testing"
	"time"

	"helios/shared/job"
)

// The size that a frame is planned with is the one that Chromium draws.
func TestScale(t *testing.T) {
	c := composition(t, `<p>text`)
	for _, config := range []job.Config{
		{Width: 1278, Height: 722, Scale: 0.75}, {Width: 1279, Height: 721, Scale: 0.5}, {Width: 101, Height: 103, Scale: 1.5},
		{Width: 333, Height: 1000, Scale: 1.1}, {Width: 640, Height: 360, Scale: 3}, {Width: 100, Height: 700, Scale: 1.15},
	} {
		t.Run(fmt.Sprint(config.Scale), func(t *testing.T) {
			b := launchScaled(t, c, config.Scale)
			o := Options{Width: config.Width, Height: config.Height, FPS: job.Rate{Num: 30, Den: 1}, Timeout: time.Minute}
			p := open(t, b, c, o)
			width, height := config.Pixels()
			err := p.Play(t.Context(), 0, 1, job.SeekReplay, func(f Frame) error {
				picture, err := png.DecodeConfig(bytes.NewReader(f.PNG))
				if err == nil && (picture.Width != width || picture.Height != height) {
					t.Errorf("%dx%d is drawn with %dx%d, planned with %dx%d", o.Width, o.Height, picture.Width, picture.Height, width, height)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
