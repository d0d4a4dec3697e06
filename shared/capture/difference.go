package capture

import "math"

// What a picture that nobody can tell from the reference may differ by.
const (
	minPSNR   = 45  // dB, over the frame
	maxBlock  = 2.0 // of 255, in the mean of each colour of a block
	blockSize = 16
	// maxAlien is how far a colour may be from all those around its place in the other picture: of what is drawn
	// with other antialiasing, both sides of the edge are there, but what is missing is nowhere.
	maxAlien = 24 // of 255
)

// diff is in what two pictures differ.
type diff struct {
	pixels  int     // how many are not the same
	squares int64   // the sum of the squares of the differences of red, green and blue
	samples int64   // how many of these were compared
	block   float64 // the most that the mean colour of a block is off
}

// psnr is the peak signal-to-noise ratio in dB; infinite for equal pictures.
func (d diff) psnr() float64 {
	return 10 * math.Log10(255*255*float64(d.samples)/float64(d.squares))
}

// difference compares a picture in the order red, green, blue, alpha with one in the order blue, green, red, alpha.
func difference(rgba, bgra []byte, width int) diff {
	height := len(rgba) / 4 / width
	d := diff{samples: int64(width) * int64(height) * 3}
	for top := 0; top < height; top += blockSize {
		for left := 0; left < width; left += blockSize {
			right, bottom := min(left+blockSize, width), min(top+blockSize, height)
			var sum [3]int
			for y := top; y < bottom; y++ {
				for i := (y*width + left) * 4; i < (y*width+right)*4; i += 4 {
					a, b := rgba[i:i+4:i+4], bgra[i:i+4:i+4]
					red, green, blue := int(a[0])-int(b[2]), int(a[1])-int(b[1]), int(a[2])-int(b[0])
					if red|green|blue|(int(a[3])-int(b[3])) == 0 {
						continue
					}
					d.pixels++
					d.squares += int64(red*red + green*green + blue*blue)
					sum[0] += red
					sum[1] += green
					sum[2] += blue
				}
			}
			for _, s := range sum {
				d.block = max(d.block, math.Abs(float64(s))/float64((right-left)*(bottom-top)))
			}
		}
	}
	return d
}

// alien finds a pixel of one picture whose colour is not among those at its place, and around it, in the other: the
// trace of something that only one of them shows.
func alien(rgba, bgra []byte, width int) (x, y int, found bool) {
	for i := 0; i < len(rgba); i += 4 {
		for c := range 3 {
			a, b := int(rgba[i+c]), int(bgra[i+2-c])
			if a-b <= maxAlien && b-a <= maxAlien {
				continue
			}
			x, y = i/4%width, i/4/width
			if !around(a, bgra, width, x, y, 2-c) || !around(b, rgba, width, x, y, c) {
				return x, y, true
			}
		}
	}
	return 0, 0, false
}

// around reports whether a value lies between those of a colour at a place and around it.
func around(value int, pixels []byte, width, x, y, colour int) bool {
	low, high := 255, 0
	height := len(pixels) / 4 / width
	for v := max(0, y-1); v <= min(height-1, y+1); v++ {
		for u := max(0, x-1); u <= min(width-1, x+1); u++ {
			p := int(pixels[(v*width+u)*4+colour])
			low, high = min(low, p), max(high, p)
		}
	}
	return low-maxAlien <= value && value <= high+maxAlien
}
