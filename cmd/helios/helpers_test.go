package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// needChromium skips a test in short mode.
func needChromium(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("launches Chromium")
	}
}

// helios runs a command that launches Chromium in a folder and returns its standard output. It must succeed.
func helios(t *testing.T, dir string, args ...string) string {
	t.Helper()
	needChromium(t)
	return runIn(t, dir, "helios", args...)
}

func sh(t *testing.T, dir, line string) { t.Helper(); runIn(t, dir, "sh", "-c", line) }

func runIn(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, &stderr)
	}
	return string(out)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
