package capture

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"helios/shared/fault"
	"helios/shared/job"
)

// wantUser checks that an error is one sentence for the person who wrote the page, with some words in it.
func wantUser(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("there is no error, want one with %q", words)
	}
	if fault.Of(err) != fault.User {
		t.Errorf("the error is of the kind %s: %v", fault.Of(err), err)
	}
	text := err.Error()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("the error says %q, not %q", text, word)
		}
	}
	if strings.ContainsAny(text, "\n\r") || strings.HasSuffix(text, ".") {
		t.Errorf("the error is not one line without a full stop: %q", text)
	}
}

// patience is the time-out of pages that never get ready, and limit is when an error has to be there after
// such a time-out on a busy machine.
const (
	patience = 2 * time.Second
	limit    = 20 * time.Second
)

func TestPagesThatCannotBeLoaded(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for _, test := range []struct {
		name  string
		html  string
		words []string
	}{
		{"a script that throws", `<script>undefined.x</script>`, []string{"the page threw TypeError", "/:1:"}},
		{"a script that throws something odd", `<script>throw {toString() { return "odd" }}</script>`, []string{"the page threw"}},
		{"a syntax error", `<script>let let = 1</script>`, []string{"the page threw SyntaxError"}},
		{"a script that throws in a timer at once", `<script>setTimeout(() => { throw new Error("in a timer") })</script>`, []string{"in a timer"}},
		{"an endless loop", `<script>for (;;);</script>`, []string{"was not ready after 2s", "the page to load", "--timeout"}},
		{"an endless loop of promises", `<script>(function f() { Promise.resolve().then(f) })()</script>`, []string{"was not ready after 2s", "--timeout"}},
		{"an image without an answer", `<img src="/hang.png">`, []string{"was not ready after 2s", "still waiting for an answer from", "/hang.png"}},
		{"a script without an answer", `<script src="/hang.js"></script>`, []string{"an answer from", "/hang.js"}},
		{"a font without an answer", `<style>@font-face{font-family:f;src:url(/hang.woff2)}</style><p style="font-family:f">x`, []string{"an answer from", "/hang.woff2"}},
		{"a fetch without an answer", `<script>fetch("/hang.json")</script>`, []string{"an answer from", "/hang.json"}},
		{"ready never resolves", `<script>window.helios = {ready: new Promise(() => {})}</script>`, []string{"the promise in window.helios.ready"}},
		{"ready rejects", `<script>window.helios = {ready: Promise.reject(new Error("no data"))}</script>`, []string{"window.helios.ready", "no data"}},
		{"a missing image", `<img src="/gone.png">`, []string{"missing image", "/gone.png", "404", "--allow-missing-assets"}},
		{"a missing background", `<style>body{background:url(/gone.jpg)}</style>`, []string{"missing image", "/gone.jpg"}},
		{"a missing font", `<style>@font-face{font-family:f;src:url(/gone.woff2)}</style><p style="font-family:f">x`, []string{"missing font", "/gone.woff2"}},
		{"a missing script", `<script src="/gone.js"></script>`, []string{"missing script", "/gone.js"}},
		{"a missing module", `<script type="module">import "/gone.mjs"</script>`, []string{"missing script", "/gone.mjs"}},
		{"a missing stylesheet", `<link rel="stylesheet" href="/gone.css">`, []string{"missing stylesheet", "/gone.css"}},
		{"a missing page in a frame", `<iframe src="/gone.html"></iframe>`, []string{"missing document", "/gone.html", "404"}},
		{"a web page for an image", `<img src="/page.png">`, []string{"missing image", "/page.png", "not an image"}},
		{"half an image", `<img src="/half.png">`, []string{"missing image", "/half.png"}},
		{"two missing things", `<img src="/gone.png"><script src="/gone.js"></script>`, []string{"/gone.png", "/gone.js"}},
		{"another machine's loopback", `<img src="http://127.0.0.1:1/x.png">`, []string{"missing image", "127.0.0.1:1/x.png"}},
		{"a host that is not there", `<img src="http://nowhere.invalid/x.png">`, []string{"missing image", "nowhere.invalid/x.png"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // most of them wait
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
			b := launch(t, c)
			err := within(t, limit, func(ctx context.Context) error {
				p, err := Open(ctx, b, c, o)
				if err == nil {
					p.Close()
				}
				return err
			})
			wantUser(t, err, test.words...)
		})
	}
}

func TestPagesThatBreakInAFrame(t *testing.T) {
	for _, test := range []struct {
		name  string
		html  string
		words []string
	}{
		{"an endless loop in a frame", `<script>requestAnimationFrame(function f(t) { if (t > 50) for (;;); requestAnimationFrame(f) })</script>`,
			[]string{"frame 2 was not done after 2s", "endless loop", "--timeout"}},
		{"an endless loop in a timer", `<script>setTimeout(() => { for (;;); }, 50)</script>`, []string{"frame 2 was not done after 2s", "endless loop"}},
		{"a callback that throws", `<script>requestAnimationFrame(function f(t) { if (t > 50) throw new Error("no more"); requestAnimationFrame(f) })</script>`,
			[]string{"the page threw Error: no more", "index.html:1:"}},
		{"a timer that throws", `<script>setTimeout(() => { throw "just text" }, 50)</script>`, []string{`the page threw "just text"`}},
		{"a seek that throws", `<script>window.helios = {seek(s) { if (s > .05) throw new Error("not there") }}</script>`, []string{"not there"}},
		{"a seek that never comes back", `<script>window.helios = {seek: (s) => new Promise((done) => s > .05 || done())}</script>`, []string{"frame 2 was not done after 2s"}},
		{"a page that goes elsewhere", `<script>setTimeout(() => location = "/next.html", 50)</script>`, []string{"the page went to", "next.html", "stay on one page"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := composition(t, test.html)
			b := launch(t, c)
			o := small
			o.Timeout = patience
			for _, from := range []int64{0, 4} {
				p := open(t, b, c, o)
				err := within(t, limit, func(ctx context.Context) error {
					return p.Play(ctx, from, 6, job.SeekReplay, func(f Frame) error { return nil })
				})
				wantUser(t, err, test.words...)
				if strings.Contains(test.html, "for (;;)") {
					return // the browser is of no use any more
				}
				p.Close()
			}
		})
	}
}

func TestAddressesThatCannotBeOpened(t *testing.T) {
	o := small
	o.Timeout = patience
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + listener.Addr().String() + "/"
	listener.Close()
	missing := serve(t, http.NotFound)
	broken := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "ouch", 500) })
	for _, test := range []struct {
		c     Composition
		words []string
	}{
		{Composition{Input: refused, URL: refused}, []string{refused, "refused"}},
		{missing, []string{missing.URL, "404"}},
		{broken, []string{broken.URL, "500"}},
		{Composition{Input: "gone.html", Folder: t.TempDir(), Page: "gone.html"}, []string{"gone.html", "404"}},
		{Composition{Input: "http://nowhere.invalid/", URL: "http://nowhere.invalid/"}, []string{"nowhere.invalid"}},
	} {
		b := launch(t, test.c)
		err := within(t, limit, func(ctx context.Context) error {
			_, err := Open(ctx, b, test.c, o)
			return err
		})
		wantUser(t, err, test.words...)
	}
}

func TestInputsThatCannotBeLocated(t *testing.T) {
	empty := t.TempDir()
	for input, words := range map[string][]string{
		"gone.html":      {"gone.html does not exist", "index.html"},
		empty:            {"has no index.html"},
		"http://":        {"http:// is not an address"},
		"https://%zz/":   {"is not an address"},
		"no/such/folder": {"does not exist"},
	} {
		_, err := Locate(empty, input)
		wantUser(t, err, words...)
	}
}

func TestVerifyNamesTheFileThatChanged(t *testing.T) {
	c := folder(t, map[string]string{"index.html": `<!doctype html><link rel="stylesheet" href="a%20b.css">`, "a b.css": "body { color: red }"})
	report, err := Inspect(t.Context(), launch(t, c), c, small)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Files) != 2 {
		t.Fatalf("the page's files are %v", report.Files)
	}
	if err := c.Verify(report.Files); err != nil {
		t.Error(err)
	}
	changed := folder(t, map[string]string{"index.html": `<!doctype html><link rel="stylesheet" href="a%20b.css">`, "a b.css": "body { color: blue }"})
	wantUser(t, changed.Verify(report.Files), "a b.css has changed")
	gone := folder(t, map[string]string{"index.html": "", "c.css": ""})
	wantUser(t, gone.Verify(map[string]string{"a b.css": ""}), "a b.css", "cannot be read")
}

func TestAllowMissingPlaysWithoutWhatIsMissing(t *testing.T) {
	c := composition(t, `<img src="gone.png"><script src="gone.js"></script><link rel="stylesheet" href="gone.css"><h1>here</h1>`)
	o := small
	o.AllowMissing = true
	b := launch(t, c)
	p := open(t, b, c, o)
	if missing := p.Missing(); len(missing) != 3 {
		t.Errorf("missing are %v", missing)
	}
	report, err := Inspect(t.Context(), b, c, small)
	if err != nil || len(report.Missing) != 3 {
		t.Errorf("inspected: %v, %+v", err, report)
	}
	if _, err := json.Marshal(report); err != nil {
		t.Error(err)
	}
}
