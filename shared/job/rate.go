package job

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Rate is a frame rate in frames per second: an exact fraction in lowest terms, from 1/60 to 1000. Both terms fit into
// 32 bits, as ffmpeg and MP4 require. The zero Rate means that the rate is left out.
type Rate struct {
	Num, Den int64
}

var (
	minRate = big.NewRat(1, 60)
	maxRate = big.NewRat(1000, 1)
)

// ntscBases are the integer rates with an NTSC variant: the rate times 1000/1001, usually written as a rounded decimal.
var ntscBases = []int64{24, 30, 48, 60, 120, 240}

// NewRate returns num/den frames per second in lowest terms.
func NewRate(num, den int64) (Rate, error) {
	if den == 0 {
		return Rate{}, Errorf("", "frame rate %d/0 divides by zero", num)
	}
	return rateOf(big.NewRat(num, den), strconv.FormatInt(num, 10)+"/"+strconv.FormatInt(den, 10))
}

// ParseRate parses a frame rate: a decimal such as 30 or 12.5, or a fraction such as 30000/1001.
//
// A decimal is exact unless it is a rounded NTSC rate: n*1000/1001 for n of 24, 30, 48, 60, 120 or 240, with two or
// more decimal places. So 23.976 and 23.98 mean 24000/1001, 29.97 means 30000/1001, and 59.94 means 60000/1001.
func ParseRate(text string) (Rate, error) {
	if num, den, ok := strings.Cut(text, "/"); ok {
		n, errNum := strconv.ParseUint(num, 10, 63)
		d, errDen := strconv.ParseUint(den, 10, 63)
		if errNum != nil || errDen != nil {
			return Rate{}, errRate(text)
		}
		return NewRate(int64(n), int64(d))
	}
	exact, ok := parseDecimal(text)
	if !ok {
		return Rate{}, errRate(text)
	}
	if ntsc, ok := ntscRate(text, exact); ok {
		exact = ntsc
	}
	return rateOf(exact, text)
}

func errRate(text string) error {
	return Errorf("", "%.40q is not a frame rate; use frames per second such as 30, 29.97 or 30000/1001", text)
}

// ntscRate returns the NTSC rate that rounds to a decimal, given as text and exactly.
func ntscRate(text string, exact *big.Rat) (*big.Rat, bool) {
	_, decimals, _ := strings.Cut(text, ".")
	if len(decimals) < 2 || strings.ContainsAny(decimals, "eE") {
		return nil, false
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(decimals))), nil)
	halfUnit := new(big.Rat).SetFrac(big.NewInt(1), scale.Lsh(scale, 1))
	for _, base := range ntscBases {
		ntsc := big.NewRat(base*1000, 1001)
		diff := new(big.Rat).Sub(exact, ntsc)
		if diff.Abs(diff).Cmp(halfUnit) <= 0 {
			return ntsc, true
		}
	}
	return nil, false
}

func rateOf(exact *big.Rat, text string) (Rate, error) {
	if exact.Cmp(minRate) < 0 || exact.Cmp(maxRate) > 0 {
		return Rate{}, Errorf("", "frame rate %.40s is out of range; use 1/60 to 1000 frames per second", text)
	}
	limit := big.NewInt(math.MaxInt32)
	if exact.Num().Cmp(limit) > 0 || exact.Denom().Cmp(limit) > 0 {
		return Rate{}, Errorf("", "frame rate %.40s is too precise; use a fraction with terms of at most %d", text, limit)
	}
	return Rate{Num: exact.Num().Int64(), Den: exact.Denom().Int64()}, nil
}

// IsZero reports whether the rate is left out.
func (r Rate) IsZero() bool { return r == Rate{} }

// String returns the rate as [ParseRate] accepts it: "30" or "30000/1001". The zero Rate is "".
func (r Rate) String() string {
	if r.IsZero() {
		return ""
	}
	num := strconv.FormatInt(r.Num, 10)
	if r.Den == 1 {
		return num
	}
	return num + "/" + strconv.FormatInt(r.Den, 10)
}

// At returns the exact time of frame n in seconds: n/fps. The rate must not be zero.
func (r Rate) At(n int64) *big.Rat {
	at := new(big.Rat).SetFrac(big.NewInt(r.Den), big.NewInt(r.Num))
	return at.Mul(at, new(big.Rat).SetInt64(n))
}

// Milliseconds returns the time of frame n in milliseconds: the float64 nearest to n*1000/fps, so that errors do not
// accumulate. The rate must not be zero.
func (r Rate) Milliseconds(n int64) float64 {
	at := r.At(n)
	ms, _ := at.Mul(at, big.NewRat(1000, 1)).Float64()
	return ms
}

// MarshalText returns [Rate.String]. In JSON, a rate is a string.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText parses a rate with [ParseRate].
func (r *Rate) UnmarshalText(text []byte) error {
	parsed, err := ParseRate(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

// UnmarshalJSON parses a string or a number with [ParseRate].
func (r *Rate) UnmarshalJSON(data []byte) error {
	text, ok := scalarText(data)
	if !ok {
		return nil
	}
	return r.UnmarshalText([]byte(text))
}

// scalarText returns the text of a JSON string, or the literal of another value. ok is false for null, which leaves a
// Go value unchanged.
func scalarText(data []byte) (text string, ok bool) {
	if string(data) == "null" {
		return "", false
	}
	if json.Unmarshal(data, &text) != nil {
		text = string(data)
	}
	return text, true
}
