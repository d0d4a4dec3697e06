package job_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"helios/shared/job"
)

func TestParseRate(t *testing.T) {
	for text, want := range map[string]job.Rate{
		"30":                {Num: 30, Den: 1},
		"30.0":              {Num: 30, Den: 1},
		"60/2":              {Num: 30, Den: 1},
		"3e1":               {Num: 30, Den: 1},
		"12.5":              {Num: 25, Den: 2},
		".5":                {Num: 1, Den: 2},
		"1/60":              {Num: 1, Den: 60},
		"1000":              {Num: 1000, Den: 1},
		"30000/1001":        {Num: 30000, Den: 1001},
		"23.976":            {Num: 24000, Den: 1001},
		"23.98":             {Num: 24000, Den: 1001},
		"23.976024":         {Num: 24000, Den: 1001},
		"29.97":             {Num: 30000, Den: 1001},
		"29.970":            {Num: 30000, Den: 1001},
		"29.97002997002997": {Num: 30000, Den: 1001},
		"47.952":            {Num: 48000, Den: 1001},
		"59.94":             {Num: 60000, Den: 1001},
		"119.88":            {Num: 120000, Den: 1001},
		"24.00":             {Num: 24, Den: 1},
		"29.96":             {Num: 749, Den: 25},
		"29.9":              {Num: 299, Den: 10},
		"2997e-2":           {Num: 2997, Den: 100},
	} {
		got, err := job.ParseRate(text)
		if err != nil || got != want {
			t.Errorf("ParseRate(%q) = %v, %v, want %v", text, got, err, want)
			continue
		}
		if again, err := job.ParseRate(got.String()); err != nil || again != got {
			t.Errorf("ParseRate(%q) = %v, %v, want the same rate", got, again, err)
		}
	}
}

func TestParseRateRefuses(t *testing.T) {
	for _, text := range []string{
		"", " 30", "30 ", "abc", "30fps", "+30", "0x1e", "3_0", "1e", ".", "1.2.3",
		"0", "0.0", "-30", "NaN", "Inf", "-Inf", "1001", "0.016", "1/61", "1e999", "1e99999999", "1e-99999999",
		"30/", "/1001", "30/0", "0/1", "-30/1", "30/-1", "30000/1001/1", "30.5/2", "99999999999999999999/1",
		"30.00000000001", "2147483648/2147483647", strings.Repeat("3", 1000),
	} {
		if got, err := job.ParseRate(text); err == nil {
			t.Errorf("ParseRate(%.50q) = %v, want an error", text, got)
		}
	}
}

func TestNewRateRefuses(t *testing.T) {
	for _, terms := range [][2]int64{{0, 0}, {30, 0}, {0, 1}, {-30, 1}, {30, -1}, {1 << 40, 1}} {
		if got, err := job.NewRate(terms[0], terms[1]); err == nil {
			t.Errorf("NewRate(%d, %d) = %v, want an error", terms[0], terms[1], got)
		}
	}
}

func TestRateJSON(t *testing.T) {
	for in, want := range map[string]string{
		`30`:           `"30"`,
		`"30"`:         `"30"`,
		`29.97`:        `"30000/1001"`,
		`"30000/1001"`: `"30000/1001"`,
		`12.50`:        `"25/2"`,
	} {
		var rate job.Rate
		if err := json.Unmarshal([]byte(in), &rate); err != nil {
			t.Errorf("decoding %s: %v", in, err)
			continue
		}
		if got, err := json.Marshal(rate); err != nil || string(got) != want {
			t.Errorf("%s is encoded as %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{`0`, `-1`, `""`, `"x"`, `true`, `[30]`, `{}`} {
		var rate job.Rate
		if err := json.Unmarshal([]byte(in), &rate); err == nil {
			t.Errorf("decoding %s: got %v, want an error", in, rate)
		}
	}
}

func TestRateAt(t *testing.T) {
	ntsc := job.Rate{Num: 30000, Den: 1001}
	for _, c := range []struct {
		rate job.Rate
		n    int64
		at   *big.Rat
		ms   float64
	}{
		{job.Rate{Num: 30, Den: 1}, 0, big.NewRat(0, 1), 0},
		{job.Rate{Num: 30, Den: 1}, 1, big.NewRat(1, 30), 1000.0 / 30},
		{job.Rate{Num: 30, Den: 1}, 30, big.NewRat(1, 1), 1000},
		{ntsc, 30000, big.NewRat(1001, 1), 1001000},
		{ntsc, 3_000_000_000, big.NewRat(100_100_000, 1), 100_100_000_000},
		{job.Rate{Num: 60, Den: 1}, 24 * 3600 * 60, big.NewRat(86400, 1), 86_400_000},
	} {
		if got := c.rate.At(c.n); got.Cmp(c.at) != 0 {
			t.Errorf("frame %d at %s fps is at %s s, want %s", c.n, c.rate, got, c.at)
		}
		if got := c.rate.Milliseconds(c.n); got != c.ms {
			t.Errorf("frame %d at %s fps is at %v ms, want %v", c.n, c.rate, got, c.ms)
		}
	}
}
