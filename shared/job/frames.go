package job

import (
	"math/big"
	"time"
)

// Frames returns how many frames a duration takes, the last of them perhaps cut short: the ceiling of
// duration*rate, in exact arithmetic. The rate must not be zero.
func Frames(duration Seconds, rate Rate) int64 {
	exact := new(big.Rat).SetFrac(big.NewInt(rate.Num), big.NewInt(rate.Den))
	exact.Mul(exact, duration.Rat())
	// The floor of -x is the negative ceiling of x, and Div floors where the divisor is positive.
	floor := new(big.Int).Div(new(big.Int).Neg(exact.Num()), exact.Denom())
	return -floor.Int64()
}

// Length returns how long a number of frames lasts, rounded down to a nanosecond so that [Frames] of it
// is the same number again. It fails beyond [MaxLength]. The rate must not be zero.
func Length(frames int64, rate Rate) (Seconds, error) {
	ns := rate.At(frames)
	ns.Mul(ns, new(big.Rat).SetInt64(int64(time.Second)))
	if ns.Cmp(new(big.Rat).SetInt64(int64(MaxLength))) > 0 {
		return Seconds{}, Errorf("", "%d frames at %s a second last longer than the %d hours that a job can have",
			frames, rate, MaxLength/time.Hour)
	}
	return Seconds{time.Duration(new(big.Int).Div(ns.Num(), ns.Denom()).Int64())}, nil
}
