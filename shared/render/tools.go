package render

import (
	"context"

	"golang.org/x/sync/errgroup"

	"helios/shared/browser"
	"helios/shared/ffmpeg"
)

// Tools are the programs that frames and chunks are made with. Other versions make other bytes, so chunks
// record them.
type Tools struct {
	Chromium string `json:"chromium"`
	FFmpeg   string `json:"ffmpeg"`
}

// FindTools finds Chromium and ffmpeg and asks for their versions. The error says how to install what is
// missing.
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
