package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	"image/png"

	"helios/shared/job"
)

// opaque reports whether every pixel hides what is behind it.
func opaque(pixels []byte) bool {
	all := ^uint64(0)
	rest := pixels
	le := binary.LittleEndian
	for ; len(rest) >= 32; rest = rest[32:] {
		all &= le.Uint64(rest) & le.Uint64(rest[8:]) & le.Uint64(rest[16:]) & le.Uint64(rest[24:])
	}
	for i := 3; i < len(rest); i += 4 {
		all &= uint64(rest[i])<<24 | ^uint64(0xff000000)
	}
	return all&0xff000000_ff000000 == 0xff000000_ff000000
}

// compare returns an UnfitError if a frame differs from its picture in the reference way by more than it may.
func (r *rawFrames) compare(f Frame, reference []byte) error {
	want, err := decode(reference)
	if err != nil {
		return fmt.Errorf("reading the picture of frame %d: %w", f.Index, err)
	}
	if why := r.deviation(want, f.Pixels); why != "" {
		return unfit(r.way, "frame %d is not the picture of the reference: %s", f.Index, why)
	}
	return nil
}

// deviation says in what a picture differs from that of the reference by more than its way may; "" if it does not.
func (r *rawFrames) deviation(want *image.NRGBA, pixels []byte) string {
	if want.Rect.Dx() != r.ring.Width || want.Rect.Dy() != r.ring.Height {
		return fmt.Sprintf("that is of %v", want.Rect.Size())
	}
	d := difference(want.Pix, pixels, r.ring.Width)
	switch {
	case d.pixels == 0:
		return ""
	case r.way == job.CaptureCanvas:
		return fmt.Sprintf("%d pixels differ", d.pixels)
	case d.psnr() < minPSNR:
		return fmt.Sprintf("the PSNR is %.1f dB, less than %d", d.psnr(), minPSNR)
	case d.block > maxBlock:
		return fmt.Sprintf("the mean colour of a block of %d by %d pixels is off by %.1f of 255", blockSize, blockSize, d.block)
	}
	if x, y, missing := alien(want.Pix, pixels, r.ring.Width); missing {
		return fmt.Sprintf("what is at %d, %d is not near there in the other", x, y)
	}
	return ""
}

// PSNR returns the peak signal-to-noise ratio, in dB, of a frame against that of the reference; infinite for equal
// pictures.
func (f Frame) PSNR(reference Frame) (float64, error) {
	want, err := decode(reference.PNG)
	if err != nil || len(want.Pix) != len(f.Pixels) {
		return 0, fmt.Errorf("comparing frame %d with one of %d bytes: %w", f.Index, len(f.Pixels), err)
	}
	return difference(want.Pix, f.Pixels, want.Rect.Dx()).psnr(), nil
}

// decode reads a picture as rows of red, green, blue and alpha.
func decode(data []byte) (*image.NRGBA, error) {
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if same, ok := picture.(*image.NRGBA); ok {
		return same, nil
	}
	nrgba := image.NewNRGBA(picture.Bounds())
	draw.Draw(nrgba, nrgba.Rect, picture, image.Point{}, draw.Src)
	return nrgba, nil
}
