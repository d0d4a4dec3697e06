package job

import (
	"math/big"
	"time"
)

// Frames returns the number of frames of a duration: duration*rate, rounded up, in exact arithmetic. The rate must not
// be zero.
func Frames(duration Seconds, rate Rate) int64 {
	exact := new(big.Rat).SetFrac(big.NewInt(rate.Num), big.NewInt(rate.Den))
	exact.Mul(exact, duration.Rat())
	// ceil(x) is -floor(-x), and Div returns the floor because the denominator is positive.
	floor := new(big.Int).Div(new(big.Int).Neg(exact.Num()), exact.Denom())
	return -floor.Int64()
}

// Length returns the duration of a number of frames, rounded down to a nanosecond. [Frames] of the result returns the
// same number. Length fails if the duration exceeds [MaxLength]. The rate must not be zero.
func Length(frames int64, rate Rate) (Seconds, error) {
	ns := rate.At(frames)
	ns.Mul(ns, new(big.Rat).SetInt64(int64(time.Second)))
	if ns.Cmp(new(big.Rat).SetInt64(int64(MaxLength))) > 0 {
		return Seconds{}, Errorf("", "%d frames at %s frames per second are longer than %d hours; render fewer frames",
			frames, rate, MaxLength/time.Hour)
	}
	return Seconds{time.Duration(new(big.Int).Div(ns.Num(), ns.Denom()).Int64())}, nil
}
