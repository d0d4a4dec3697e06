package audio

import "math"

const (
	// ceiling is the highest true peak after limiting: -1.5 dBTP, so that what encoders add stays below -1.
	ceiling = 0.8414
	// limitReach is how many samples before and after a peak its level goes down and up again: 5 ms.
	limitReach = 240
	// limitMargin is how many samples the limiter needs to know before and after those that it returns.
	limitMargin = 2*limitReach + peakReach

	// peaks between samples are found at so many places, from so many samples on either side.
	oversampling = 4
	peakReach    = 12
)

// interpolation holds the weights of the samples around a place between two of them: a windowed sinc.
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

// limit turns samples down around peaks above a level. It returns those that lie limitMargin within the ends. Where no
// peak is near, samples stay as they are.
func limit(values []float32, highest float64) []float32 {
	n := len(values) / Channels
	inner := values[limitMargin*Channels : (n-limitMargin)*Channels]
	// By how much the level at each sample has to go down, at least.
	less := make([]float64, n)
	found := false
	for i := peakReach; i < n-peakReach; i++ {
		if peak := truePeak(values, i, highest); peak > highest {
			less[i], found = 1-highest/peak, true
		}
	}
	if !found {
		return inner
	}
	// The most that is needed anywhere within reach, and then the mean of that within reach, which is smooth and
	// never less than what is needed.
	most := slidingMax(less, limitReach)
	sum, touched := 0.0, 0
	count := func(i, sign int) {
		if most[i] != 0 {
			sum += float64(sign) * most[i]
			touched += sign
		}
	}
	const width = 2*limitReach + 1
	for i := range width - 1 {
		count(limitMargin-limitReach+i, 1)
	}
	for i := limitMargin; i < n-limitMargin; i++ {
		count(i+limitReach, 1)
		if touched == 0 {
			sum = 0 // and no rounding errors
		} else {
			for ch := range Channels {
				v := &values[i*Channels+ch]
				*v = float32(float64(*v) * (1 - sum/width))
			}
		}
		count(i-limitReach, -1)
	}
	return inner
}

// truePeak returns the highest absolute value between a sample and the next one.
func truePeak(values []float32, at int, highest float64) float64 {
	peak := 0.0
	for ch := range Channels {
		// Only near a loud sample can there be a loud place.
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

// slidingMax returns for each place the largest value within reach of it.
func slidingMax(values []float64, reach int) []float64 {
	largest := make([]float64, len(values))
	var queue []int // places whose values fall
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
