package job

import (
	"math/big"
	"regexp"
	"strings"
	"time"
)

// MaxLength is the longest time that a spec can speak of: 1000 hours.
const MaxLength = 1000 * time.Hour

// Seconds is a length of time, exact to the nanosecond, that text and JSON give in seconds. Finer
// decimals are rounded to the nearest nanosecond: it makes 0.30000000000000004, which is what other
// languages print for 0.1+0.2, the 0.3 that was meant. The zero Seconds means "not given".
type Seconds struct {
	d time.Duration
}

// SecondsOf returns a duration as Seconds.
func SecondsOf(d time.Duration) Seconds { return Seconds{d} }

var (
	unitsPattern = regexp.MustCompile(`^(?:[0-9.]+(?:h|ms|m|s|us|µs|μs|ns))+$`)
	termPattern  = regexp.MustCompile(`([0-9.]+)([a-zµμ]+)`)
	units        = map[string]time.Duration{
		"h": time.Hour, "m": time.Minute, "s": time.Second, "ms": time.Millisecond,
		"us": time.Microsecond, "µs": time.Microsecond, "μs": time.Microsecond, "ns": time.Nanosecond,
	}
)

// ParseSeconds reads a number of seconds, such as 2 or 0.5, or a duration in Go's notation, such as
// 1m30s, 1h or 250ms. The result is from 0 to [MaxLength].
func ParseSeconds(text string) (Seconds, error) {
	ns, ok := parseNanoseconds(text)
	if !ok {
		return Seconds{}, Errorf("", "%.40q is no length of time: give seconds such as 2 or 0.5, or a duration such as 1m30s or 250ms", text)
	}
	if ns.Sign() < 0 {
		return Seconds{}, Errorf("", "%.40s is negative: give a length of time such as 2 or 1m30s", text)
	}
	if ns.Cmp(new(big.Rat).SetInt64(int64(MaxLength))) > 0 {
		return Seconds{}, Errorf("", "%.40s is too long: give at most %d hours", text, MaxLength/time.Hour)
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

// IsZero reports whether the time is 0, which stands for "not given".
func (s Seconds) IsZero() bool { return s.d == 0 }

// Equal reports whether both are the same length of time.
func (s Seconds) Equal(t Seconds) bool { return s.d == t.d }

// Duration returns the time as a [time.Duration].
func (s Seconds) Duration() time.Duration { return s.d }

// Rat returns the exact number of seconds.
func (s Seconds) Rat() *big.Rat { return big.NewRat(int64(s.d), int64(time.Second)) }

// String returns the number of seconds as an exact decimal: "2" or "0.5".
func (s Seconds) String() string {
	return strings.TrimRight(strings.TrimRight(s.Rat().FloatString(9), "0"), ".")
}

// MarshalText writes the time like [Seconds.String].
func (s Seconds) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what [ParseSeconds] reads.
func (s *Seconds) UnmarshalText(text []byte) error {
	parsed, err := ParseSeconds(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// MarshalJSON writes the time as a number of seconds.
func (s Seconds) MarshalJSON() ([]byte, error) { return s.MarshalText() }

// UnmarshalJSON reads a string or a number by the rules of [ParseSeconds]. A number is read from its
// literal: 0.1 is one tenth.
func (s *Seconds) UnmarshalJSON(data []byte) error {
	text, ok := scalarText(data)
	if !ok {
		return nil
	}
	return s.UnmarshalText([]byte(text))
}
