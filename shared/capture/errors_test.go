package capture

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"helios/shared/fault"
	"helios/shared/job"
)

// checkUserError checks that an error is a one-line user error that contains words.
func checkUserError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	if fault.Of(err) != fault.User {
		t.Errorf("the kind of the error is %s, want a user error: %v", fault.Of(err), err)
	}
	text := err.Error()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("the error is %q, want %q in it", text, word)
		}
	}
	if strings.ContainsAny(text, "\n\r") || strings.HasSuffix(text, ".") {
		t.Errorf("the error is not one line without a full stop: %q", text)
	}
}

const (
	// patience is the timeout of pages that never become ready.
	patience = 2 * time.Second
	// limit is the time until the error, on a busy machine too.
	limit = 20 * time.Second
)

func TestOpenReportsPageErrors(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for _, test := range []struct {
		name  string
		html  string
		words []string
	}{
		{"a script throws", `<script>undefined.x</script>`, []string{"the page threw TypeError", "/:1:"}},
		{"a script throws an object", `<script>throw {toString() { return "odd" }}</script>`, []string{"the page threw"}},
		{"a syntax error", `<script>let let = 1</script>`, []string{"the page threw SyntaxError"}},
		{"a timer throws", `<script>setTimeout(() => { throw new Error("in a timer") })</script>`, []string{"in a timer"}},
		{"an endless loop", `<script>for (;;);</script>`,
			[]string{"was not ready after 2s", "the page to load", "--timeout"}},
		{"endless promises", `<script>(function f() { Promise.resolve().then(f) })()</script>`,
			[]string{"was not ready after 2s", "--timeout"}},
		{"an image never loads", `<img src="hang.png">`,
			[]string{"was not ready after 2s", "still waiting for a response from", "/hang.png"}},
		{"a script never loads", `<script src="hang.js"></script>`, []string{"a response from", "/hang.js"}},
		{"a font never loads", `<style>@font-face{font-family:f;src:url(hang.woff2)}</style><p style="font-family:f">x`,
			[]string{"a response from", "/hang.woff2"}},
		{"a fetch never ends", `<script>fetch("hang.json")</script>`, []string{"a response from", "/hang.json"}},
		{"ready never resolves", `<script>window.helios = {ready: new Promise(() => {})}</script>`,
			[]string{"the promise in window.helios.ready"}},
		{"ready rejects", `<script>window.helios = {ready: Promise.reject(new Error("no data"))}</script>`,
			[]string{"window.helios.ready", "no data"}},
		{"missing image", `<img src="gone.png">`,
			[]string{"missing image", "/gone.png", "404", "--allow-missing-assets"}},
		{"missing background", `<style>body{background:url(gone.jpg)}</style>`, []string{"missing image", "/gone.jpg"}},
		{"missing font", `<style>@font-face{font-family:f;src:url(gone.woff2)}</style><p style="font-family:f">x`,
			[]string{"missing font", "/gone.woff2"}},
		{"missing script", `<script src="gone.js"></script>`, []string{"missing script", "/gone.js"}},
		{"missing module", `<script type="module">import "./gone.mjs"</script>`, []string{"missing script", "/gone.mjs"}},
		{"missing stylesheet", `<link rel="stylesheet" href="gone.css">`, []string{"missing stylesheet", "/gone.css"}},
		{"missing iframe", `<iframe src="gone.html"></iframe>`, []string{"missing document", "/gone.html", "404"}},
		{"HTML instead of an image", `<img src="page.png">`, []string{"missing image", "/page.png", "not an image"}},
		{"a truncated image", `<img src="half.png">`, []string{"missing image", "/half.png"}},
		{"two missing assets", `<img src="gone.png"><script src="gone.js"></script>`, []string{"/gone.png", "/gone.js"}},
		{"a blocked address", `<img src="http://127.0.0.1:1/x.png">`, []string{"missing image", "127.0.0.1:1/x.png"}},
		{"an unknown host", `<img src="http://nowhere.invalid/x.png">`, []string{"missing image", "nowhere.invalid/x.png"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/":
					fmt.Fprint(w, "<!doctype html><body>"+test.html)
				case strings.HasPrefix(r.URL.Path, "/hang"):
					select {
					case <-hang:
					case <-r.Context().Done():
					}
				case r.URL.Path == "/page.png":
					fmt.Fprint(w, "<!doctype html><title>Log in</title>")
				case r.URL.Path == "/half.png":
					w.Header().Set("Content-Type", "image/png")
					w.Write([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"))
				default:
					http.NotFound(w, r)
				}
			})
			o := small
			o.Timeout = patience
			// A page in an endless loop cannot be closed.
			launch := launch
			if strings.HasPrefix(test.name, "endless") || test.name == "an endless loop" {
				launch = launchNew
			}
			b := launch(t, c)
			err := within(t, limit, func(ctx context.Context) error {
				p, err := Open(ctx, b, c, o)
				if err == nil {
					p.Close()
				}
				return err
			})
			checkUserError(t, err, test.words...)
		})
	}
}

func TestPlayReportsPageErrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		html  string
		words []string
	}{
		{"an endless loop in a frame", `<script>
			requestAnimationFrame(function f(t) { if (t > 50) for (;;); requestAnimationFrame(f) })</script>`,
			[]string{"frame 2 was not done after 2s", "endless loop", "--timeout"}},
		{"an endless loop in a timer", `<script>setTimeout(() => { for (;;); }, 50)</script>`,
			[]string{"frame 2 was not done after 2s", "endless loop"}},
		{"a callback throws", `<script>
			requestAnimationFrame(function f(t) { if (t > 50) throw new Error("no more"); requestAnimationFrame(f) })</script>`,
			[]string{"the page threw Error: no more", "index.html:2:"}},
		{"a timer throws", `<script>setTimeout(() => { throw "just text" }, 50)</script>`,
			[]string{`the page threw "just text"`}},
		{"seek throws", `<script>window.helios = {seek(s) { if (s > .05) throw new Error("not there") }}</script>`,
			[]string{"not there"}},
		{"seek never ends", `<script>window.helios = {seek: (s) => new Promise((done) => s > .05 || done())}</script>`,
			[]string{"frame 2 was not done after 2s"}},
		{"the page navigates", `<script>setTimeout(() => location = "next.html", 50)</script>`,
			[]string{"the page navigated to", "next.html", "stay on one page"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := composition(t, test.html)
			launch, start := launch, []int64{0, 4}
			if strings.Contains(test.html, "for (;;)") {
				// The page cannot be closed.
				launch, start = launchNew, []int64{0}
			}
			b := launch(t, c)
			o := small
			o.Timeout = patience
			for _, from := range start {
				p := open(t, b, c, o)
				err := within(t, limit, func(ctx context.Context) error {
					return p.Play(ctx, from, 6, job.SeekReplay, func(Frame) error { return nil })
				})
				checkUserError(t, err, test.words...)
				p.Close()
			}
		})
	}
}

func TestOpenReportsAddressErrors(t *testing.T) {
	o := small
	o.Timeout = patience
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	unreachable := "http://" + listener.Addr().String() + "/"
	listener.Close()
	missing := serve(t, http.NotFound)
	failing := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "ouch", http.StatusInternalServerError)
	})
	for _, test := range []struct {
		c     Composition
		words []string
	}{
		{Composition{Input: unreachable, URL: unreachable}, []string{unreachable, syscall.ECONNREFUSED.Error()}},
		{missing, []string{missing.URL, "404"}},
		{failing, []string{failing.URL, "500"}},
		{Composition{Input: "gone.html", Folder: site, Page: "gone.html"}, []string{"gone.html", "404"}},
		{Composition{Input: "http://nowhere.invalid/", URL: "http://nowhere.invalid/"}, []string{"nowhere.invalid"}},
	} {
		t.Run(test.words[len(test.words)-1], func(t *testing.T) {
			t.Parallel()
			b := launch(t, test.c)
			err := within(t, limit, func(ctx context.Context) error {
				_, err := Open(ctx, b, test.c, o)
				return err
			})
			checkUserError(t, err, test.words...)
		})
	}
}

func TestLocateReportsInputErrors(t *testing.T) {
	empty := t.TempDir()
	for input, words := range map[string][]string{
		"gone.html":      {"gone.html does not exist", "index.html"},
		empty:            {"has no index.html"},
		"http://":        {"http:// is not a URL"},
		"https://%zz/":   {"is not a URL"},
		"no/such/folder": {"does not exist"},
	} {
		_, err := Locate(empty, input)
		checkUserError(t, err, words...)
	}
}

func TestVerifyNamesChangedFile(t *testing.T) {
	t.Parallel()
	const page = `<!doctype html><link rel="stylesheet" href="a%20b.css">`
	c := ownFolder(t, map[string]string{"index.html": page, "a b.css": "body { color: red }"})
	report, err := Inspect(t.Context(), launch(t, c), c, small, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Files) != 2 {
		t.Fatalf("the files are %v, want 2", report.Files)
	}
	if err := c.Verify(report.Files); err != nil {
		t.Error(err)
	}
	changed := ownFolder(t, map[string]string{"index.html": page, "a b.css": "body { color: blue }"})
	checkUserError(t, changed.Verify(report.Files), "a b.css has changed")
	gone := ownFolder(t, map[string]string{"index.html": "", "c.css": ""})
	checkUserError(t, gone.Verify(map[string]string{"a b.css": ""}), "a b.css", "reading a b.css")
}

func TestAllowMissing(t *testing.T) {
	t.Parallel()
	c := composition(t,
		`<img src="gone.png"><script src="gone.js"></script><link rel="stylesheet" href="gone.css"><h1>here</h1>`)
	o := small
	o.AllowMissing = true
	b := launch(t, c)
	p := open(t, b, c, o)
	if missing := p.Missing(); len(missing) != 3 {
		t.Errorf("the missing assets are %v, want 3", missing)
	}
	report, err := Inspect(t.Context(), b, c, small, nil)
	if err != nil || len(report.Missing) != 3 {
		t.Errorf("Inspect() = %+v, %v, want 3 missing assets", report, err)
	}
	if _, err := json.Marshal(report); err != nil {
		t.Error(err)
	}
}
