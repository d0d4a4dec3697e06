package job_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"helios/shared/job"
)

func TestParseSeconds(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0":                   0,
		"2":                   2 * time.Second,
		"0.5":                 500 * time.Millisecond,
		".5":                  500 * time.Millisecond,
		"1.":                  time.Second,
		"1e1":                 10 * time.Second,
		"0.1":                 100 * time.Millisecond,
		"0.30000000000000004": 300 * time.Millisecond,
		"0.123456789":         123456789,
		"0.0000000005":        1,
		"0.0000000004":        0,
		"1m30s":               90 * time.Second,
		"1h":                  time.Hour,
		"1.5h":                90 * time.Minute,
		"250ms":               250 * time.Millisecond,
		"1h2m3s4ms5us6µs7ns":  time.Hour + 2*time.Minute + 3*time.Second + 4*time.Millisecond + 11*time.Microsecond + 7,
		"1000h":               1000 * time.Hour,
		"3600000":             1000 * time.Hour,
	} {
		if got, err := job.ParseSeconds(text); err != nil || got.Duration() != want {
			t.Errorf("ParseSeconds(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestParseSecondsRefuses(t *testing.T) {
	for _, text := range []string{
		"", " 2", "abc", "NaN", "Inf", "+Inf", "-1", "-1s", "-0.001", "1m30", "s", ".s", "1..5s", "1d", "1S", "1 s", "0x2",
		"2_0", "1001h", "3600000.1", "1e999", "1e99999999", "1e-99999999",
		strings.Repeat("9", 1000), strings.Repeat("1s", 1000),
	} {
		if got, err := job.ParseSeconds(text); err == nil {
			t.Errorf("ParseSeconds(%.50q) = %v, want an error", text, got)
		}
	}
}

func TestSecondsJSON(t *testing.T) {
	for in, want := range map[string]string{
		`2`:           `2`,
		`2.50`:        `2.5`,
		`0.1`:         `0.1`,
		`100`:         `100`,
		`"1m30s"`:     `90`,
		`"250ms"`:     `0.25`,
		`0.000000001`: `0.000000001`,
	} {
		var s job.Seconds
		if err := json.Unmarshal([]byte(in), &s); err != nil {
			t.Errorf("decoding %s: %v", in, err)
			continue
		}
		if got, err := json.Marshal(s); err != nil || string(got) != want {
			t.Errorf("%s is encoded as %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{`-1`, `""`, `"x"`, `true`, `[1]`, `{}`} {
		var s job.Seconds
		if err := json.Unmarshal([]byte(in), &s); err == nil {
			t.Errorf("decoding %s: got %v, want an error", in, s)
		}
	}
}

func TestSecondsOmitZero(t *testing.T) {
	type options struct {
		Duration job.Seconds `json:"duration,omitzero"`
		FPS      job.Rate    `json:"fps,omitzero"`
	}
	got, err := json.Marshal(options{})
	if err != nil || string(got) != "{}" {
		t.Errorf("zero values are encoded as %s, %v, want {}", got, err)
	}
}
