package capture

import (
	"math"
	"testing"
)

// square is a gray picture in which a rectangle has another gray; red and blue are in either order.
func square(width, height, x, y, w, h int, gray byte) []byte {
	pixels := make([]byte, width*height*4)
	for i := range pixels {
		pixels[i] = 100
		if i%4 == 3 {
			pixels[i] = 255
		}
	}
	for v := y; v < y+h; v++ {
		for u := x; u < x+w; u++ {
			for c := range 3 {
				pixels[(v*width+u)*4+c] = gray
			}
		}
	}
	return pixels
}

func TestDifference(t *testing.T) {
	const width, height = 37, 21 // whole blocks, and parts of some
	plain := square(width, height, 0, 0, 0, 0, 0)
	for _, test := range []struct {
		name   string
		other  []byte
		pixels int
		block  float64
		alien  bool
	}{
		{"nothing", plain, 0, 0, false},
		{"a missing pixel", square(width, height, 20, 10, 1, 1, 200), 1, 100.0 / 256, true},
		{"a faint pixel", square(width, height, 20, 10, 1, 1, 120), 1, 20.0 / 256, false},
		{"the last pixel", square(width, height, 36, 20, 1, 1, 200), 1, 100.0 / 25, true},
		{"all of it a little", square(width, height, 0, 0, width, height, 103), width * height, 3, false},
	} {
		d := difference(plain, test.other, width)
		if d.pixels != test.pixels || math.Abs(d.block-test.block) > 1e-9 {
			t.Errorf("%s: %d pixels and %v in a block, want %d and %v", test.name, d.pixels, d.block, test.pixels, test.block)
		}
		for _, pair := range [][2][]byte{{plain, test.other}, {test.other, plain}} {
			if _, _, found := alien(pair[0], pair[1], width); found != test.alien {
				t.Errorf("%s: alien is %t", test.name, found)
			}
		}
	}
	// An edge with other antialiasing.
	soft, hard := square(width, height, 10, 5, 9, 9, 200), square(width, height, 10, 5, 9, 9, 200)
	for y := 5; y < 14; y++ {
		for c := range 3 {
			soft[(y*width+10)*4+c] = 150
		}
	}
	if x, y, found := alien(soft, hard, width); found {
		t.Errorf("the edge at %d, %d is taken for something that is missing", x, y)
	}
	half := difference(plain, square(width, height, 0, 0, width, height, 101), width)
	if got := half.psnr(); math.Abs(got-48.13) > 0.01 {
		t.Errorf("the PSNR of a difference of 1 is %v", got)
	}
}

func TestOpaque(t *testing.T) {
	for _, pixels := range []int{1, 2, 3, 33} {
		picture := square(pixels, 1, 0, 0, 0, 0, 0)
		if !opaque(picture) {
			t.Errorf("%d opaque pixels are not", pixels)
		}
		for i := range pixels {
			picture[i*4+3] = 254
			if opaque(picture) {
				t.Errorf("pixel %d of %d is not opaque", i, pixels)
			}
			picture[i*4+3] = 255
		}
	}
}
