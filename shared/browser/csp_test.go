package browser

import "testing"

func TestAllowInCSP(t *testing.T) {
	w := &Worker{Path: "/w.js", TrustedTypes: "ours"}
	const source = "https://a.test/w.js"
	for policy, want := range map[string]string{
		"":                                      "",
		"img-src 'none'":                        "img-src 'none'",
		"worker-src 'none'":                     "worker-src " + source,
		"worker-src blob:; script-src *":        "worker-src blob: " + source + "; script-src *",
		"default-src 'none'":                    "default-src 'none'; worker-src " + source,
		"Default-Src 'SELF'; script-src a":      "default-src 'SELF'; script-src a; worker-src a " + source,
		"child-src b; script-src a":             "child-src b; script-src a; worker-src b " + source,
		"script-src 'nonce-1' 'strict-dynamic'": "script-src 'nonce-1' 'strict-dynamic'",
		"worker-src 'strict-dynamic'":           "worker-src 'strict-dynamic' " + source,
		"trusted-types 'none'; require-trusted-types-for 'script'": "trusted-types ours; require-trusted-types-for 'script'",
		"trusted-types a b":          "trusted-types a b ours",
		"sandbox allow-scripts":      "sandbox allow-scripts allow-same-origin",
		"worker-src a; worker-src b": "worker-src a " + source,
		"img-src a, worker-src b":    "img-src a, worker-src b " + source,
	} {
		if got := w.allowInCSP(policy, source); got != want {
			t.Errorf("allowInCSP(%q) = %q, want %q", policy, got, want)
		}
	}
}
