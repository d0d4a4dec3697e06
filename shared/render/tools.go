package render

import (
	"context"

	"golang.org/x/sync/errgroup"

	"helios/shared/browser"
	"helios/shared/ffmpeg"
)

// Tools are the versions of the programs that make chunks. Chunks contain them, because other versions produce other
// bytes.
type Tools struct {
	Chromium string `json:"chromium"`
	FFmpeg   string `json:"ffmpeg"`
}

// FindTools returns the versions of the installed Chromium and ffmpeg. If one is missing, the error contains
// instructions to install it.
func FindTools(ctx context.Context) (Tools, error) {
	var t Tools
	g, ctx := errgroup.WithContext(ctx)
	for _, tool := range []struct {
		find    func() (string, error)
		version func(context.Context, string) (string, error)
		result  *string
	}{
		{browser.Find, browser.Version, &t.Chromium},
		{ffmpeg.Find, ffmpeg.Version, &t.FFmpeg},
	} {
		path, err := tool.find()
		if err != nil {
			return Tools{}, err
		}
		g.Go(func() (err error) {
			*tool.result, err = tool.version(ctx, path)
			return err
		})
	}
	return t, g.Wait()
}
