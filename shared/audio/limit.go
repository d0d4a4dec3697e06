package audio

import "math"

const (
	// ceiling is the highest true peak after limiting: -1.5 dBTP. The encoder can raise peaks, but not above -1 dBTP.
	ceiling = 0.8414
	// limitReach is the time over which the gain falls before a peak and rises after it, in samples: 5 ms.
	limitReach = 240
	// limitMargin is the number of samples that limit needs before and after the ones that it returns.
	limitMargin = 2*limitReach + peakReach

	// oversampling is the number of positions per sample at which peaks are computed, and peakReach the number of
	// samples on either side from which they are interpolated.
	oversampling = 4
	peakReach    = 12
)

// interpolation contains the weights of the neighbouring samples for each position: a windowed sinc.
var interpolation = func() (weights [oversampling][2 * peakReach]float64) {
	for phase := range weights {
		for i := range weights[phase] {
			x := float64(i-peakReach+1) - float64(phase)/oversampling
			w := 1.0
			if x != 0 {
				w = math.Sin(math.Pi*x) / (math.Pi * x)
			}
			weights[phase][i] = w * (0.5 + 0.5*math.Cos(math.Pi*x/(peakReach+1)))
		}
	}
	return weights
}()

// limit lowers the gain around peaks above highest, in place. Samples that are not near such a peak do not change. It
// returns the values without a margin of limitMargin samples at both ends.
func limit(values []float32, highest float64) []float32 {
	n := len(values) / Channels
	inner := values[limitMargin*Channels : (n-limitMargin)*Channels]
	// reduction is the necessary reduction of the gain at each sample.
	reduction := make([]float64, n)
	found := false
	for i := peakReach; i < n-peakReach; i++ {
		if peak := truePeak(values, i, highest); peak > highest {
			reduction[i], found = 1-highest/peak, true
		}
	}
	if !found {
		return inner
	}
	// The applied reduction is the moving average of the moving maximum. It is smooth, and at least the necessary one.
	maximum := slidingMax(reduction, limitReach)
	sum, nonzero := 0.0, 0
	add := func(i, sign int) {
		if maximum[i] != 0 {
			sum += float64(sign) * maximum[i]
			nonzero += sign
		}
	}
	const width = 2*limitReach + 1
	for i := range width - 1 {
		add(limitMargin-limitReach+i, 1)
	}
	for i := limitMargin; i < n-limitMargin; i++ {
		add(i+limitReach, 1)
		if nonzero == 0 {
			sum = 0 // discards rounding errors
		} else {
			for ch := range Channels {
				v := &values[i*Channels+ch]
				*v = float32(float64(*v) * (1 - sum/width))
			}
		}
		add(i-limitReach, -1)
	}
	return inner
}

// truePeak returns the highest absolute value from a sample up to the next one. It skips the interpolation where the
// result cannot exceed highest.
func truePeak(values []float32, at int, highest float64) float64 {
	peak := 0.0
	for ch := range Channels {
		near := math.Abs(float64(values[at*Channels+ch])) + math.Abs(float64(values[(at+1)*Channels+ch]))
		peak = max(peak, math.Abs(float64(values[at*Channels+ch])))
		if near < highest/2 {
			continue
		}
		for phase := 1; phase < oversampling; phase++ {
			sum := 0.0
			for i, w := range interpolation[phase] {
				sum += w * float64(values[(at-peakReach+1+i)*Channels+ch])
			}
			peak = max(peak, math.Abs(sum))
		}
	}
	return peak
}

// slidingMax returns, for each index, the largest value at most reach away.
func slidingMax(values []float64, reach int) []float64 {
	largest := make([]float64, len(values))
	var queue []int // indexes of decreasing values
	next := 0
	for i := range largest {
		for ; next < len(values) && next <= i+reach; next++ {
			for len(queue) > 0 && values[queue[len(queue)-1]] <= values[next] {
				queue = queue[:len(queue)-1]
			}
			queue = append(queue, next)
		}
		for queue[0] < i-reach {
			queue = queue[1:]
		}
		largest[i] = values[queue[0]]
	}
	return largest
}
