package main

import (
	"archive/zip"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptsWithoutChromium are the scripts that run in short mode.
var scriptsWithoutChromium = []string{"flags", "help", "missing_tools"}

// setupScript sets $CHROMIUM, and $HELIOS to a folder that contains only the command helios. With PATH=$HELIOS a
// script runs helios on a machine without Chromium and ffmpeg.
func setupScript(env *testscript.Env) error {
	name := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
	if testing.Short() && !slices.Contains(scriptsWithoutChromium, name) {
		env.T().Skip("launches Chromium")
	}
	helios, err := exec.LookPath("helios")
	if err != nil {
		return err
	}
	chromium, err := exec.LookPath("chromium-headless-shell")
	if err != nil {
		return err
	}
	env.Setenv("HELIOS", filepath.Dir(helios))
	env.Setenv("CHROMIUM", chromium)
	env.Setenv("GOMAXPROCS", "1") // one worker per render, because scripts run in parallel
	return nil
}

// errorLine matches the error of a command: one line without a capital at the start, except in the name of an
// environment variable, and without a full stop at the end.
var errorLine = regexp.MustCompile(`^helios: ([^A-Z\n]|HELIOS_).*[^.\n]\n$`)

// scriptFails runs a command. It must exit with the given code, and its last line on standard error must be its
// only error:
//
//	fails 2 helios render gone.html
func scriptFails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fails CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("the exit code is %d, want %s", code, args[0])
	}
	stderr := "\n" + ts.ReadFile("stderr")
	if n := strings.Count(stderr, "\nhelios: "); n != 1 {
		ts.Fatalf("%d errors on standard error, want 1", n)
	}
	if last := stderr[strings.LastIndex(stderr, "\nhelios: ")+1:]; !errorLine.MatchString(last) {
		ts.Fatalf("the format of the error is wrong: %q", last)
	}
}

// scriptVideo checks properties of a video as ffprobe reports them, and the properties that [probe] checks:
//
//	video out.mp4 frames=60 rate=30/1 size=64x36 codec=h264
func scriptVideo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: video FILE KEY=VALUE...")
	}
	v, err := probe(ts.MkAbs(args[0]))
	if err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	for _, arg := range args[1:] {
		key, want, _ := strings.Cut(arg, "=")
		if got := v[key]; got != want {
			ts.Fatalf("%s: %s is %q, want %q", args[0], key, got, want)
		}
	}
}

// scriptSame compares the digests of all decoded frames of two files:
//
//	same a.mp4 b.mp4
func scriptSame(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] same FILE FILE")
	}
	a, err := frameDigests(ts.MkAbs(args[0]))
	ts.Check(err)
	b, err := frameDigests(ts.MkAbs(args[1]))
	ts.Check(err)
	switch equal := a == b; {
	case !equal && !neg:
		ts.Fatalf("the frames of %s and %s differ:\n%s\n%s", args[0], args[1], a, b)
	case equal && neg:
		ts.Fatalf("the frames of %s and %s are equal", args[0], args[1])
	}
}

// scriptClean checks that no process, hidden file or hidden folder of earlier commands is left.
func scriptClean(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: clean")
	}
	ts.Check(checkClean(ts.Getenv("WORK")))
}

// scriptServe serves a folder over HTTP until the end of the script and sets a variable to its URL. The path /never
// never answers.
//
//	serve site URL
func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: serve FOLDER VARIABLE")
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	mux.HandleFunc("/never", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv(args[1], server.URL)
}

// scriptWrite writes a text to a file, for example as an output that exists before a render:
//
//	write out.mp4 precious
func scriptWrite(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: write FILE TEXT")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]), 0o666))
}

// scriptUnzip unpacks an archive into a new folder:
//
//	unzip out.zip frames
func scriptUnzip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unzip FILE FOLDER")
	}
	archive, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer archive.Close()
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), archive))
}
