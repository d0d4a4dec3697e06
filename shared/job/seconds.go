package job

import (
	"math/big"
	"regexp"
	"strings"
	"time"
)

// MaxLength is the maximum time in a spec: 1000 hours.
const MaxLength = 1000 * time.Hour

// Seconds is a length of time in nanoseconds, which text and JSON express in seconds. Decimals are rounded to the
// nearest nanosecond, so 0.30000000000000004, which other languages print for 0.1+0.2, is 0.3. The zero Seconds means
// that the time is left out.
type Seconds struct {
	d time.Duration
}

// SecondsOf converts a duration to Seconds.
func SecondsOf(d time.Duration) Seconds { return Seconds{d} }

var (
	unitsPattern = regexp.MustCompile(`^(?:[0-9.]+(?:h|ms|m|s|us|µs|μs|ns))+$`)
	termPattern  = regexp.MustCompile(`([0-9.]+)([a-zµμ]+)`)
	units        = map[string]time.Duration{
		"h": time.Hour, "m": time.Minute, "s": time.Second, "ms": time.Millisecond,
		"us": time.Microsecond, "µs": time.Microsecond, "μs": time.Microsecond, "ns": time.Nanosecond,
	}
)

// ParseSeconds parses a number of seconds, such as 2 or 0.5, or a duration as in Go, such as 1m30s, 1h or 250ms. The
// result is between 0 and [MaxLength].
func ParseSeconds(text string) (Seconds, error) {
	ns, ok := parseNanoseconds(text)
	if !ok {
		return Seconds{}, Errorf("",
			"%.40q is not a time; use seconds such as 2 or 0.5, or a duration such as 1m30s or 250ms", text)
	}
	if ns.Sign() < 0 {
		return Seconds{}, Errorf("", "%.40s is negative; use a time such as 2 or 1m30s", text)
	}
	if ns.Cmp(new(big.Rat).SetInt64(int64(MaxLength))) > 0 {
		return Seconds{}, Errorf("", "%.40s is too long; use at most %d hours", text, MaxLength/time.Hour)
	}
	return Seconds{time.Duration(roundHalfUp(ns).Int64())}, nil
}

func parseNanoseconds(text string) (*big.Rat, bool) {
	if number, ok := parseDecimal(text); ok {
		return number.Mul(number, new(big.Rat).SetInt64(int64(time.Second))), true
	}
	if len(text) > maxDecimalLen || !unitsPattern.MatchString(text) {
		return nil, false
	}
	sum := new(big.Rat)
	for _, term := range termPattern.FindAllStringSubmatch(text, -1) {
		number, ok := parseDecimal(term[1])
		if !ok {
			return nil, false
		}
		sum.Add(sum, number.Mul(number, new(big.Rat).SetInt64(int64(units[term[2]]))))
	}
	return sum, true
}

func roundHalfUp(x *big.Rat) *big.Int {
	doubled := new(big.Int).Lsh(x.Num(), 1)
	doubled.Add(doubled, x.Denom())
	return doubled.Div(doubled, new(big.Int).Lsh(x.Denom(), 1))
}

// IsZero reports whether the time is 0 or left out.
func (s Seconds) IsZero() bool { return s.d == 0 }

// Equal reports whether both times are the same.
func (s Seconds) Equal(t Seconds) bool { return s.d == t.d }

// Duration converts the time to a [time.Duration].
func (s Seconds) Duration() time.Duration { return s.d }

// Rat returns the exact number of seconds.
func (s Seconds) Rat() *big.Rat { return big.NewRat(int64(s.d), int64(time.Second)) }

// String returns the number of seconds as an exact decimal: "2" or "0.5".
func (s Seconds) String() string {
	return strings.TrimRight(strings.TrimRight(s.Rat().FloatString(9), "0"), ".")
}

// MarshalText returns [Seconds.String].
func (s Seconds) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText parses a time with [ParseSeconds].
func (s *Seconds) UnmarshalText(text []byte) error {
	parsed, err := ParseSeconds(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// MarshalJSON returns the number of seconds.
func (s Seconds) MarshalJSON() ([]byte, error) { return s.MarshalText() }

// UnmarshalJSON parses a string or a number with [ParseSeconds]. A number is parsed from its literal: 0.1 is one
// tenth.
func (s *Seconds) UnmarshalJSON(data []byte) error {
	text, ok := scalarText(data)
	if !ok {
		return nil
	}
	return s.UnmarshalText([]byte(text))
}
