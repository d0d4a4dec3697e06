package capture

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
)

// toI420 converts an opaque screenshot, a PNG, to I420 like Chromium converts frames: BT.601, limited range, chroma
// averaged over 2x2 pixels, with libyuv's integer coefficients.
func toI420(screenshot, out []byte, width, height int) error {
	decoded, err := png.Decode(bytes.NewReader(screenshot))
	if err != nil {
		return fmt.Errorf("decoding a screenshot: %w", err)
	}
	if decoded.Bounds() != image.Rect(0, 0, width, height) {
		return fmt.Errorf("a screenshot has %v pixels instead of %dx%d", decoded.Bounds().Size(), width, height)
	}
	rgba, ok := decoded.(*image.RGBA)
	if !ok {
		rgba = image.NewRGBA(decoded.Bounds())
		draw.Draw(rgba, rgba.Rect, decoded, image.Point{}, draw.Src)
	}
	luma, u, v := out[:width*height], out[width*height:][:width*height/4], out[width*height*5/4:]
	for y := 0; y < height; y += 2 {
		for x := 0; x < width; x += 2 {
			var r, g, b int
			for i := range 4 {
				px, py := x+i%2, y+i/2
				at := rgba.Pix[rgba.PixOffset(px, py):]
				red, green, blue := int(at[0]), int(at[1]), int(at[2])
				luma[py*width+px] = byte((66*red + 129*green + 25*blue + 0x1080) >> 8)
				r, g, b = r+red, g+green, b+blue
			}
			r, g, b = (r+2)>>2, (g+2)>>2, (b+2)>>2
			at := y/2*(width/2) + x/2
			u[at] = byte((112*b - 74*g - 38*r + 0x8000) >> 8)
			v[at] = byte((112*r - 94*g - 18*b + 0x8000) >> 8)
		}
	}
	return nil
}

// difference returns the largest differences between two frames in I420, in luma and in chroma.
func difference(a, b []byte) (luma, chroma int) {
	most := func(a, b []byte) (d int) {
		for i := range a {
			d = max(d, int(a[i])-int(b[i]), int(b[i])-int(a[i]))
		}
		return d
	}
	n := len(a) * 2 / 3
	return most(a[:n], b[:n]), most(a[n:], b[n:])
}

// A frame of the stream may differ this much from its screenshot: libyuv rounds differently on some processors.
const (
	maxLuma   = 1
	maxChroma = 2
)
