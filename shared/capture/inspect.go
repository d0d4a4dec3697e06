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

// PageInfo describes a page: its attributes and what it contains.
type PageInfo struct {
	Attributes
	// Seeks reports that the page has window.helios.seek.
	Seeks bool `json:"seeks"`
	// Animations are the kinds of animation that the page uses up to frame 0: css-animation, css-transition,
	// web-animation, svg-animation, animation-frame, timer, canvas, webgl, video.
	Animations []string `json:"animations"`
	// Assets are the files that the page loaded, itself first.
	Assets []browser.Asset `json:"assets"`
	// Missing are the assets that did not load.
	Missing []browser.Asset `json:"missing"`
	// Media are the elements that play sound or video.
	Media []Media `json:"media"`
	// Files are the SHA-256 digests of the local files among the assets, by path in the folder.
	Files map[string]string `json:"-"`
}

// Length returns the frame rate and the number of frames of a composition with the given attributes.
type Length func(Attributes) (job.Rate, int64, error)

// Inspect loads a composition and returns what it contains. Missing assets are part of the result, not an error.
//
// Without a length, the result contains what the page loads and plays until frame 0. With a length, Inspect
// fast-forwards through the whole composition, and the result also contains what the page loads and plays later.
func Inspect(ctx context.Context, b *browser.Browser, c Composition, o Options, length Length) (*PageInfo, error) {
	o.AllowMissing, o.fastForward = true, length != nil
	p, err := Open(ctx, b, c, o)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	info := &PageInfo{Seeks: p.seeks, Animations: []string{}, Missing: []browser.Asset{}}
	whole := ctx
	late := fault.Userf("%s did not answer within %s; use a longer --timeout", c.Input, o.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, o.Timeout, late)
	defer cancel()
	if info.Attributes, err = p.attributes(ctx); err != nil {
		return nil, err
	}
	if err := p.page.Evaluate(ctx, animationKinds, &info.Animations); err != nil {
		return nil, err
	}
	if length != nil {
		fps, frames, err := length(info.Attributes)
		if err != nil {
			return nil, err
		}
		if err := p.fastForward(whole, fps, frames); err != nil {
			return nil, err
		}
	}
	if info.Media, err = p.mediaList(whole); err != nil {
		return nil, err
	}
	info.Assets = p.page.Assets()
	info.Missing = append(info.Missing, p.page.Missing()...)
	info.Files, err = c.digests(info.Assets)
	return info, err
}

// animationKinds is an expression for the kinds of animation that the page uses.
const animationKinds = `[...new Set([
	...document.getAnimations().map((animation) =>
		({CSSAnimation: "css-animation", CSSTransition: "css-transition"})[animation.constructor.name] ?? "web-animation"),
	...(document.querySelector("animate, animateTransform, animateMotion, set") ? ["svg-animation"] : []),
	...window[Symbol.for("helios.used")],
	...(document.querySelector("video") ? ["video"] : []),
])].sort()`

// digests returns the digests of the assets that are files in the composition's folder.
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
			return nil, fmt.Errorf("computing digests: %w", err)
		}
		sum := sha256.Sum256(data)
		files[name] = hex.EncodeToString(sum[:])
	}
	return files, nil
}

// Verify returns an error if a file of a local composition has changed since the job was planned. files are the digests
// from [PageInfo.Files]. The error, a fault.User, names one such file.
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
			return fault.Userf("reading %s, which the job was planned with: %w", name, err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != want {
			return fault.Userf("%s has changed since the job was planned; emit the job again", name)
		}
	}
	return nil
}

// comparedFrames is the number of consecutive frames that are compared. After a direct seek, a page whose frames depend
// on earlier ones may show a single correct frame by chance.
const comparedFrames = 3

// Seekable reports whether a direct seek to each of the given frames leads to the same screenshots as a replay. If so,
// the frames of the composition probably depend only on the time.
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
			continue // already compared
		}
		want, err := replayed.screenshots(ctx, n, job.SeekReplay)
		if err != nil {
			return false, err
		}
		next = n + comparedFrames
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

// screenshots seeks to frame n and returns the screenshots to compare.
func (p *Player) screenshots(ctx context.Context, n int64, mode job.SeekMode) ([][]byte, error) {
	if err := p.seek(ctx, n, mode); err != nil {
		return nil, err
	}
	var list [][]byte
	for i := range int64(comparedFrames) {
		png, err := p.runFrame(ctx, n+i, outputScreenshot)
		if err != nil {
			return nil, err
		}
		list = append(list, png)
	}
	return list, nil
}
