package capture

import "math"

// What a picture that nobody can tell from the reference may differ by.
const (
	minPSNR   = 45  // dB, over the frame
	maxBlock  = 2.0 // of 255, in the mean of each colour of a block
	blockSize = 16
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
