package job

import (
	"math/big"
	"regexp"
)

// decimalPattern is stricter than big.Rat: it rejects hexadecimal numbers, underscores, fractions, and large exponents,
// with which a short text becomes gigabytes of digits.
var decimalPattern = regexp.MustCompile(`^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)

// maxDecimalLen is longer than every number that a program prints.
const maxDecimalLen = 400

// parseDecimal parses a decimal number such as 2, -0.5 or 1e-3 exactly.
func parseDecimal(text string) (*big.Rat, bool) {
	if len(text) > maxDecimalLen || !decimalPattern.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}
