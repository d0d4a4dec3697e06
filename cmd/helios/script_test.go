package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// setupScript lets scripts take programs off the PATH: $HELIOS is the folder of the command, and nothing
// else is in it.
func setupScript(env *testscript.Env) error {
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
	return nil
}

// sentence is what an error looks like to a person: one line that begins with the program's name, with
// neither a capital (but in the name of a variable) nor a full stop.
var sentence = regexp.MustCompile(`^helios: ([^A-Z\n]|HELIOS_).*[^.\n]\n$`)

// scriptFails runs a command that must end with an exit code and one sentence on standard error, the last
// line there:
//
//	fails 2 helios render gone.html
func scriptFails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fails CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := err.(*exec.ExitError); ok {
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
	if last := stderr[strings.LastIndex(stderr, "\nhelios: ")+1:]; !sentence.MatchString(last) {
		ts.Fatalf("not a sentence such as an error should be: %q", last)
	}
}

// scriptVideo checks what a video is, as ffprobe sees it:
//
//	video out.mp4 frames=60 rate=30/1 size=64x36 codec=h264
//
// Every video has the colours of BT.709, starts at 0, lasts exactly its frames and can be played while it is
// still being loaded.
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

// scriptSame checks that videos show the same frames, by their digests:
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
		ts.Fatalf("%s and %s show different frames:\n%s\n%s", args[0], args[1], a, b)
	case equal && neg:
		ts.Fatalf("%s and %s show the same frames", args[0], args[1])
	}
}

// scriptClean checks that nothing is left of the renders so far: no process, no hidden file or folder.
func scriptClean(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: clean")
	}
	ts.Check(checkClean(ts.Getenv("WORK")))
}

// scriptServe serves a folder on the web until the end of the script, and puts the address into a variable. At
// /never there is no answer.
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

// scriptWrite writes a text to a file: what an output looked like before.
//
//	write out.mp4 precious
func scriptWrite(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: write FILE TEXT")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]), 0o666))
}
