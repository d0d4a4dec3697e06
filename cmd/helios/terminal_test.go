package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Ctrl-C on a terminal leaves the progress bars on the screen and prints "interrupted" on its own line.
func TestInterruptOnTerminal(t *testing.T) {
	needChromium(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "slow.html"), slow)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "script", "-qec",
		"stty cols 120 rows 30; TERM=xterm exec helios render slow.html -o out.mp4 --concurrency 1", "/dev/null")
	cmd.Dir = dir
	keyboard, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	screen, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var seen bytes.Buffer
	lines := bufio.NewReader(io.TeeReader(screen, &seen))
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%v\n%q", err, &seen)
		}
		if strings.Contains(line, "worker 0 partition 0") {
			break
		}
	}
	if _, err := io.WriteString(keyboard, "\x03"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("the exit code is %d, want %d", code, exitInterrupted)
	}
	end := regexp.MustCompile(`total +\[[^\n]*/24 frames[^\n]*\r\n` +
		`worker 0 partition 0 [^\n]*/24 frames[^\n]*\r\nhelios: interrupted\r\n$`)
	if !end.Match(seen.Bytes()) {
		t.Errorf("unexpected end of the terminal output: %q", &seen)
	}
	if err := checkClean(dir); err != nil {
		t.Error(err)
	}
}
