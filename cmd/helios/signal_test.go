package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"helios/shared/render"
)

// slow is a composition of 24 frames. Each takes some milliseconds, so that a signal arrives during the render.
const slow = `<!doctype html>
<html data-duration="2.4" data-fps="10" data-width="64" data-height="36">
<style>body { margin: 0 }</style>
<canvas width="64" height="36"></canvas>
<script>
	const context = document.querySelector("canvas").getContext("2d")
	let frame = 0
	requestAnimationFrame(function draw() {
		const until = Math.random() * 2e7
		for (let i = 0; i < until; i++);
		context.fillStyle = ["#fc0", "#0cf", "#c0f"][frame++ % 3]
		context.fillRect(frame % 64, frame % 36, 9, 9)
		requestAnimationFrame(draw)
	})
</script>
`

// A helios that SIGKILL ends at any moment leaves no process and no partial output. The next run keeps the finished
// chunks and creates the same bytes.
func TestKillAndResume(t *testing.T) { checkKillAndResume(t, 2) }

// TestSoakKillAndResume does the same at many moments. It runs if HELIOS_SOAK is set.
func TestSoakKillAndResume(t *testing.T) {
	if os.Getenv("HELIOS_SOAK") == "" {
		t.Skip("takes minutes; see make soak")
	}
	checkKillAndResume(t, 50)
}

func checkKillAndResume(t *testing.T, kills int) {
	t.Helper()
	const seed = 20260401
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	write(t, filepath.Join(dir, "slow.html"), slow)
	helios(t, dir, "render", "slow.html", "-o", "want.mp4", "--concurrency=2", "--quiet")
	helios(t, dir, "render", "slow.html", "-o", "job.mp4", "--concurrency=4", "--emit-job=job.json", "--quiet")
	helios(t, dir, "job", "run", "job.json", "--quiet")
	want := map[string][]byte{
		"want.mp4": read(t, filepath.Join(dir, "want.mp4")),
		"job.mp4":  read(t, filepath.Join(dir, "job.mp4")),
	}

	for _, test := range []struct {
		name, output, want string
		args               []string
	}{
		{"render", "out.mp4", "want.mp4",
			[]string{"render", "slow.html", "-o", "out.mp4", "--concurrency=2", "--json", "--overwrite"}},
		{"job run", "job.mp4", "job.mp4",
			[]string{"job", "run", "job.json", "--concurrency=2", "--json", "--overwrite"}},
	} {
		for range kills {
			frames := random.IntN(25)
			clearOutputs(t, dir)
			done := runUntil(t, dir, frames, syscall.SIGKILL, test.args...)
			t.Logf("%s: killed after %d frames, %d partitions done", test.name, frames, done.partitions)
			if alive := waitForNone(dir, 10*time.Second); len(alive) > 0 {
				t.Errorf("%s, killed after %d frames: processes are still running: %q", test.name, frames, alive)
			}
			output, err := os.ReadFile(filepath.Join(dir, test.output))
			finished := err == nil
			if finished && !bytes.Equal(output, want[test.want]) {
				t.Errorf("%s, killed after %d frames: the output is incomplete", test.name, frames)
			}

			kept := countEvents(t, helios(t, dir, test.args...), render.PartitionKept)
			// A chunk can be complete before helios reports it.
			if kept < done.partitions && !finished {
				t.Errorf("%s, killed after %d frames: %d partitions were done, but the next run kept %d",
					test.name, frames, done.partitions, kept)
			}
			if !bytes.Equal(read(t, filepath.Join(dir, test.output)), want[test.want]) {
				t.Errorf("%s, killed after %d frames: the output of the next run differs from that of an uninterrupted run",
					test.name, frames)
			}
			checkGone(t, dir, done.profiles)
		}
	}
}

// SIGINT and SIGTERM end a helios within two seconds. Only the finished chunks of a job remain.
func TestInterrupt(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, frames := range []int{0, 1, 15} {
			t.Run(signal.String(), func(t *testing.T) {
				dir := t.TempDir()
				write(t, filepath.Join(dir, "slow.html"), slow)
				done := runUntil(t, dir, frames, signal, "render", "slow.html", "-o", "out.mp4", "--concurrency=2", "--json")
				checkInterrupted(t, done)
				checkGone(t, dir, done.profiles)
				entries, err := os.ReadDir(dir)
				if err != nil || len(entries) != 1 {
					t.Errorf("the folder contains %v, %v, want the page only", entries, err)
				}
			})
		}
	}
	t.Run("batch", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "slow.html"), slow)
		write(t, filepath.Join(dir, "rows.jsonl"), "{}\n{}\n")
		done := runUntil(t, dir, 30, syscall.SIGINT,
			"render", "slow.html", "--batch=rows.jsonl", "-o=out{{index}}.mp4", "--concurrency=1", "--json")
		checkInterrupted(t, done)
		checkGone(t, dir, done.profiles)
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 3 {
			t.Errorf("the folder contains %v, %v, want the page, the rows and the first output", entries, err)
		}
	})
	t.Run("job run", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "slow.html"), slow)
		helios(t, dir, "render", "slow.html", "-o", "job.mp4", "--concurrency=4", "--emit-job=job.json", "--quiet")
		args := []string{"job", "run", "job.json", "--concurrency=1", "--json"}
		done := runUntil(t, dir, 14, syscall.SIGINT, args...)
		checkInterrupted(t, done)
		checkGone(t, dir, done.profiles)
		if done.partitions != 2 {
			t.Fatalf("%d partitions were done after 14 frames, want 2", done.partitions)
		}
		if kept := countEvents(t, helios(t, dir, args...), render.PartitionKept); kept < 2 {
			t.Errorf("%d partitions were kept, want the 2 that were done", kept)
		}
	})
}

// signalled describes a helios that a signal ended.
type signalled struct {
	partitions int      // finished before the signal
	profiles   []string // profile folders of its Chromium processes
	code       int
	took       time.Duration // from the signal to the exit
	stderr     string
	last       []byte // last line of standard output
}

// runUntil runs helios in a folder until it has reported a number of frames, then sends it a signal. With 0 frames it
// sends the signal as soon as the first Chromium runs.
func runUntil(t *testing.T, dir string, frames int, signal syscall.Signal, args ...string) (s signalled) {
	t.Helper()
	needChromium(t)
	cmd := exec.CommandContext(t.Context(), "helios", args...)
	cmd.Dir = dir
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); frames == 0 && len(profilesOf(dir)) == 0; {
		if time.Now().After(end) {
			t.Fatal("no Chromium started")
		}
	}
	lines := json.NewDecoder(stdout)
	for seen := 0; seen < frames; {
		var e render.Event
		if err := lines.Decode(&e); err != nil {
			t.Fatalf("after %d frames: %v\n%s", seen, err, &stderr)
		}
		switch e.Type {
		case render.FrameDone:
			seen++
		case render.PartitionDone:
			s.partitions++
		}
	}
	// Stop it, so that it does not exit while profilesOf reads /proc.
	send(t, cmd, syscall.SIGSTOP)
	s.profiles = profilesOf(dir)
	sent := time.Now()
	send(t, cmd, signal)
	send(t, cmd, syscall.SIGCONT)
	rest, err := io.ReadAll(io.MultiReader(lines.Buffered(), stdout))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	s.took, s.code, s.stderr = time.Since(sent), cmd.ProcessState.ExitCode(), stderr.String()
	all := bytes.Split(bytes.TrimSpace(rest), []byte("\n"))
	s.last = all[len(all)-1]
	return s
}

func send(t *testing.T, cmd *exec.Cmd, signal syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

func checkInterrupted(t *testing.T, s signalled) {
	t.Helper()
	if s.code != exitInterrupted {
		t.Errorf("the exit code is %d, want %d\n%s", s.code, exitInterrupted, s.stderr)
	}
	if s.took > 2*time.Second {
		t.Errorf("it took %s to end", s.took)
	}
	if s.stderr != "helios: interrupted\n" {
		t.Errorf("standard error is %q", s.stderr)
	}
	if want := `{"kind":"interrupted","message":"interrupted","type":"error"}`; string(s.last) != want {
		t.Errorf("the last line is %s, want %s", s.last, want)
	}
}

// checkGone checks that no process, temporary file or profile of the renders in a folder remains.
func checkGone(t *testing.T, dir string, profiles []string) {
	t.Helper()
	if err := checkClean(dir); err != nil {
		t.Error(err)
	}
	if len(profiles) == 0 {
		t.Error("no Chromium was running")
	}
	for _, profile := range profiles {
		if _, err := os.Stat(profile); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the profile %s remains: %v", profile, err)
		}
	}
}

// clearOutputs removes the videos and chunks in a folder.
func clearOutputs(t *testing.T, dir string) {
	t.Helper()
	for _, pattern := range []string{"out.mp4", "job*.mp4"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func countEvents(t *testing.T, lines string, kind render.EventType) (n int) {
	t.Helper()
	for line := range bytes.Lines([]byte(lines)) {
		var e render.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if e.Type == kind {
			n++
		}
	}
	return n
}
