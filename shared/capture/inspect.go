package capture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

// PageInfo is what is to be known about a composition before it is planned.
type PageInfo struct {
	Attributes
	// Seeks says that the page offers window.helios.seek.
	Seeks bool `json:"seeks"`
	// Animations are the kinds of animation that the page was seen to use at frame 0: css-animation,
	// css-transition, web-animation, svg-animation, animation-frame, timer, canvas, webgl, video.
	Animations []string `json:"animations"`
	// Assets are what the page loaded before frame 0, the page itself first.
	Assets []browser.Asset `json:"assets"`
	// Missing are those of them that could not be had.
	Missing []browser.Asset `json:"missing"`
	// Media are what plays sound or pictures.
	Media []Media `json:"media"`
	// Files are the SHA-256 digests of the local files among the assets, by path in the folder.
	Files map[string]string `json:"-"`
}

// Inspect loads a composition and tells what it says about itself and what it is made of, at frame 0. What is
// missing is in the report and no error.
func Inspect(ctx context.Context, b *browser.Browser, c Composition, o Options) (*PageInfo, error) {
	return InspectThrough(ctx, b, c, o, nil)
}

// InspectThrough is like [Inspect], but also looks for what the page plays and loads after frame 0, up to the end of
// as many frames as length tells, at the rate that it tells. No frames, and a nil length, are none after the first.
func InspectThrough(ctx context.Context, b *browser.Browser, c Composition, o Options, length func(Attributes) (job.Rate, int64, error)) (*PageInfo, error) {
	o.AllowMissing, o.fastForward = true, length != nil
	p, err := Open(ctx, b, c, o)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	r := &PageInfo{Seeks: p.seeks, Animations: []string{}, Missing: []browser.Asset{}}
	whole := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, o.Timeout, fault.Userf("%s did not answer within %s; give a longer --timeout", c.Input, o.Timeout))
	defer cancel()
	if r.Attributes, err = p.attributes(ctx); err != nil {
		return nil, err
	}
	if err := p.page.Evaluate(ctx, animationKinds, &r.Animations); err != nil {
		return nil, err
	}
	if length != nil {
		fps, frames, err := length(r.Attributes)
		if err != nil {
			return nil, err
		}
		if err := p.fastForward(whole, fps, frames); err != nil {
			return nil, err
		}
	}
	if r.Media, err = p.mediaList(whole); err != nil {
		return nil, err
	}
	r.Assets = p.page.Assets()
	r.Missing = append(r.Missing, p.page.Missing()...)
	r.Files, err = c.digests(r.Assets)
	return r, err
}

// digests returns the digests of the assets that are files of the composition's folder.
func (c Composition) digests(assets []browser.Asset) (map[string]string, error) {
	if c.Folder == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(c.Folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files := map[string]string{}
	for _, a := range assets {
		name := a.File
		if name == "" || a.Problem != "" {
			continue
		}
		data, err := root.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading what the page loaded: %w", err)
		}
		sum := sha256.Sum256(data)
		files[name] = hex.EncodeToString(sum[:])
	}
	return files, nil
}

// Verify checks that a local composition still consists of the files that were planned with. The error, a
// fault.User, names the first that changed.
func (c Composition) Verify(files map[string]string) error {
	if c.Folder == "" {
		return nil
	}
	root, err := os.OpenRoot(c.Folder)
	if err != nil {
		return fault.Userf("opening the composition's folder: %w", err)
	}
	defer root.Close()
	for name, want := range files {
		data, err := root.ReadFile(name)
		if err != nil {
			return fault.Userf("%s, which the job was planned with, cannot be read: %w", name, err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != want {
			return fault.Userf("%s has changed since the job was planned; emit the job again", name)
		}
	}
	return nil
}

// sampled is how many frames in a row are compared. A page with history may show the right picture once and
// go on wrongly.
const sampled = 3

// Seekable reports whether the composition shows the same pictures after a direct seek to each of the given frames
// as after a replay, so that its frames may be taken to depend only on the time.
func Seekable(ctx context.Context, b *browser.Browser, c Composition, o Options, frames []int64) (bool, error) {
	o.Capture = job.CaptureScreenshot // two pages of one browser cannot stream at once
	replayed, err := Open(ctx, b, c, o)
	if err != nil {
		return false, err
	}
	defer replayed.Close()
	var next int64
	for _, n := range slices.Compact(slices.Sorted(slices.Values(frames))) {
		if n < next {
			continue // compared already
		}
		want, err := replayed.screenshots(ctx, n, job.SeekReplay)
		if err != nil {
			return false, err
		}
		next = n + sampled
		direct, err := Open(ctx, b, c, o)
		if err != nil {
			return false, err
		}
		got, err := direct.screenshots(ctx, n, job.SeekDirect)
		direct.Close()
		if err != nil {
			return false, err
		}
		if !slices.EqualFunc(want, got, bytes.Equal) {
			return false, nil
		}
	}
	return true, nil
}

// sample takes the pictures from frame n on.
func (p *Player) screenshots(ctx context.Context, n int64, mode job.SeekMode) ([][]byte, error) {
	if err := p.seek(ctx, n, mode); err != nil {
		return nil, err
	}
	var pictures [][]byte
	for i := range int64(sampled) {
		png, err := p.runFrame(ctx, n+i, picture)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, png)
	}
	return pictures, nil
}

// animationKinds lists how the page moves, as far as can be seen from outside.
const animationKinds = `[...new Set([
	...document.getAnimations().map(a => ({CSSAnimation: "css-animation", CSSTransition: "css-transition"})[a.constructor.name] ?? "web-animation"),
	...(document.querySelector("animate, animateTransform, animateMotion, set") ? ["svg-animation"] : []),
	...window[Symbol.for("helios.used")],
	...(document.querySelector("video") ? ["video"] : []),
])].sort()`
