package browser

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"helios/shared/fault"
)

func TestExceptions(t *testing.T) {
	pages := map[string]string{
		"at-once.html":      "<script>\n  null.x</script>",
		"late.html":         `<script>setTimeout(() => { throw new RangeError("too much\nof it") })</script>`,
		"file.html":         `<script src="folder/thrower.js"></script>`,
		"folder/thrower.js": "\n\nthrow new Error('from a file')",
		"value.html":        `<script>throw {a: 1}</script>`, "text.html": `<script>throw "just text"</script>`,
		"syntax.html": `<script>let let = 1</script>`, "event.html": `<body onload="missing()">`,
		"first.html":   `<script>throw 1</script><script>throw 2</script>`,
		"caught.html":  `<script>try { throw 1 } catch {}</script>`,
		"promise.html": `<script>Promise.reject(new Error("unhandled"))</script>`,
		"async.html":   `<script>(async () => { await 1; throw new Error("unhandled, too") })()</script>`,
		"fine.html":    `<script>setTimeout(() => {})</script>`,
	}
	b := launch(t, Options{Folder: writeFolder(t, pages)})
	for _, test := range []struct{ page, want string }{
		{"at-once.html", "the page threw TypeError: Cannot read properties of null (reading 'x') (at-once.html:2:8)"},
		{"late.html", "the page threw RangeError: too much (late.html:1:34)"},
		{"file.html", "the page threw Error: from a file (folder/thrower.js:3:7)"},
		{"value.html", "the page threw Object (value.html:1:9)"},
		{"text.html", `the page threw "just text" (text.html:1:9)`},
		{"syntax.html", "the page threw SyntaxError: let is disallowed as a lexically bound name (syntax.html:1:13)"},
		{"event.html", "the page threw ReferenceError: missing is not defined (event.html:1:26)"},
		{"first.html", "the page threw 1 (first.html:1:9)"},
		{"caught.html", ""},
		{"promise.html", ""},
		{"async.html", ""},
		{"fine.html", ""},
	} {
		t.Run(test.page, func(t *testing.T) {
			p := navigate(t, b, SiteOrigin+"/"+test.page)
			evaluate[bool](t, p, "new Promise(done => setTimeout(() => done(true)))") // after the timer of the page
			err := p.Exception()
			if test.want == "" {
				if err != nil {
					t.Errorf("the error is %v", err)
				}
				return
			}
			if err == nil || err.Error() != test.want || fault.Of(err) != fault.User {
				t.Errorf("the error is %v, want %s", err, test.want)
			}
		})
	}
}

func TestEvaluateReturnsExceptions(t *testing.T) {
	b := launch(t, Options{Folder: writeFolder(t, map[string]string{"index.html": "<script>var x = 1</script>"})})
	p := navigate(t, b, SiteOrigin)
	for expression, want := range map[string]string{
		"throw new Error('no')":                 "the page threw Error: no",
		"Promise.reject(new TypeError('late'))": "the page threw TypeError: late",
		"1 +":                                   "the page threw SyntaxError: Unexpected end of input",
	} {
		err := p.Evaluate(testContext(t), expression, nil)
		if err == nil || err.Error() != want || fault.Of(err) != fault.User {
			t.Errorf("%s: the error is %v, want %s", expression, err, want)
		}
	}
	if err := p.Exception(); err != nil {
		t.Errorf("Exception() returns an exception of Evaluate: %v", err)
	}
	world, err := p.IsolatedWorld(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	var kind string
	const expression = "window.x = 2, document.title = 'seen', typeof y"
	if err := world.Evaluate(testContext(t), expression, &kind); err != nil || kind != "undefined" {
		t.Errorf("in the isolated world, typeof y = %q, %v", kind, err)
	}
	if got := evaluate[string](t, p, "x + document.title"); got != "1seen" {
		t.Errorf("after changes in the isolated world, x + document.title = %q in the main world", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Evaluate(ctx, never, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}

func TestMissingAssets(t *testing.T) {
	other := startLocalServer(t, false)
	dir := writeFolder(t, map[string]string{
		"there.png": secrets["secret.png"], "there.css": "@import 'no.css'; div { background: url(no-background.png) }",
		"index.html": `<!doctype html><link rel="stylesheet" href="there.css"><img src="there.png?v=1"><img src="no.png">
			<div>x</div><img src="out.png"><img src="http://127.0.0.1:` + other.port + `/blocked.png">
			<img src="https://localhost:` + other.port + `/blocked-tunnel.png"><script src="no.js"></script>
			<iframe src="no.html"></iframe><video src="no.mp4"></video>
			<style>@font-face { font-family: x; src: url(no.woff2) } div { font-family: x }</style>
			<img src="data:image/png;base64,xx"><img src="data:,">
			<script>
				const fetches = Promise.allSettled([fetch("no.json"), fetch("http://127.0.0.1:` + other.port + `/no.json")]);
				fetch(URL.createObjectURL(new Blob(["x"])));
			</script>`,
	})
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "out.png")); err != nil {
		t.Fatal(err)
	}
	p := navigate(t, launch(t, Options{Folder: dir}), SiteOrigin)
	evaluate[bool](t, p, "fetches.then(() => document.fonts.ready).then(() => true)")

	blocked := errBlocked.Error()
	got := map[string]string{}
	for _, a := range p.Missing() {
		got[a.Kind+" "+a.URL] = a.Problem
	}
	if diff := cmp.Diff(map[string]string{
		"Image no.png": "HTTP status 404", "Image no-background.png": "HTTP status 404",
		"Image out.png": "path escapes from parent",
		"Image http://127.0.0.1:" + other.port + "/blocked.png":         blocked,
		"Image https://localhost:" + other.port + "/blocked-tunnel.png": blocked,
		"Script no.js": "HTTP status 404", "Document no.html": "HTTP status 404", "Media no.mp4": "HTTP status 404",
		"Font no.woff2": "HTTP status 404", "Stylesheet no.css": "HTTP status 404",
	}, got); diff != "" {
		t.Errorf("missing assets (-want +got):\n%s", diff)
	}
	assets := p.Assets()
	if assets[0].Kind != "Document" || assets[0].File != "index.html" || assets[0].Status != 200 || assets[0].Bytes == 0 {
		t.Errorf("the first asset is %+v", assets[0])
	}
	find := func(url string) Asset {
		for _, a := range assets {
			if a.URL == url {
				return a
			}
		}
		t.Errorf("the assets do not contain %s", url)
		return Asset{}
	}
	if a := find("there.png?v=1"); a.Problem != "" || a.File != "there.png" || a.Status != 200 {
		t.Errorf("the image that exists: %+v", a)
	}
	if a := find("no.json"); a.Problem == "" || a.Kind != "Fetch" {
		t.Errorf("the fetch that failed: %+v", a)
	}
	for _, a := range assets {
		if strings.HasPrefix(a.URL, "data:") || strings.HasPrefix(a.URL, "blob:") {
			t.Errorf("the assets contain %s", a.URL)
		}
	}
	p.FailAsset(SiteOrigin+"/there.png?v=1", "not an image")
	failed := func(a Asset) bool { return a.URL == "there.png?v=1" && a.Problem == "not an image" }
	if !slices.ContainsFunc(p.Missing(), failed) {
		t.Error("the failed image is not missing")
	}
	eventually(t, "the end of all requests", func() bool { return len(p.Pending()) == 0 })
	other.wantNoContacts(t)
}

func TestNavigate(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	dir := writeFolder(t, map[string]string{
		"empty.html": "", "broken.html": "<html><body><div <p>&;<script", "picture.png": secrets["secret.png"],
		"text.txt": "text", "archive.zip": "PK\x03\x04", "sub/index.html": "x",
		"moved.html": `<script>location.replace("sub/")</script>`,
	})
	local := launch(t, Options{Folder: dir})
	web := launch(t, Options{URL: closed.URL})
	blocked := errBlocked.Error()
	for _, test := range []struct {
		browser       *Browser
		address, want string
	}{
		{local, SiteOrigin + "/empty.html", ""},
		{local, SiteOrigin + "/broken.html", ""},
		{local, SiteOrigin + "/picture.png", ""},
		{local, SiteOrigin + "/text.txt", ""},
		{local, SiteOrigin + "/sub/", ""},
		{local, SiteOrigin + "/moved.html", ""},
		{local, SiteOrigin + "/missing.html", "opening missing.html: HTTP status 404; check the address"},
		{local, SiteOrigin + "/sub", "opening sub: HTTP status 404; check the address"},
		{local, SiteOrigin + "/archive.zip",
			"opening http://helios.localhost/archive.zip: net::ERR_ABORTED; use the address of a page"},
		{local, "http://127.0.0.1:8080/", "opening http://127.0.0.1:8080/: " + blocked + "; check the address"},
		{local, "https://localhost/", "opening https://localhost/: " + blocked + "; check the address"},
		{web, closed.URL + "/", "opening " + closed.URL + "/: connect: connection refused; check the address"},
		{web, SiteOrigin + "/", "opening : " + blocked + "; check the address"},
	} {
		p := open(t, test.browser)
		err := p.Navigate(testContext(t), test.address)
		if test.want == "" {
			if err != nil {
				t.Errorf("%s: %v", test.address, err)
			}
		} else if err == nil || err.Error() != test.want || fault.Of(err) != fault.User {
			t.Errorf("%s: the error is %v, want %s", test.address, err, test.want)
		}
		p.Close(testContext(t))
	}
	// After an error, a page can navigate again. The error does not affect later documents.
	p := open(t, local)
	for range 3 {
		if err := p.Navigate(testContext(t), SiteOrigin+"/missing.html"); err == nil {
			t.Error("navigating to a missing document returned no error")
		}
		if err := p.Navigate(testContext(t), SiteOrigin+"/sub/"); err != nil {
			t.Error(err)
		}
	}
}

func TestPending(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			fmt.Fprint(w, `<!doctype html><img src="slow.png"><img src="fast.png">`)
		case "/slow.png":
			<-release
		}
	}))
	defer server.Close()
	p := open(t, launch(t, Options{URL: server.URL}))
	timeout := errors.New("timeout")
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, timeout)
	defer cancel()
	if err := p.Navigate(ctx, server.URL); !errors.Is(err, timeout) {
		t.Errorf("the error is %v", err)
	}
	if diff := cmp.Diff([]string{server.URL + "/slow.png"}, p.Pending()); diff != "" {
		t.Errorf("pending (-want +got):\n%s", diff)
	}
	close(release)
	eventually(t, "the response", func() bool { return len(p.Pending()) == 0 })
}

func TestAssetName(t *testing.T) {
	for address, want := range map[string]string{
		SiteOrigin + "/":                      "index.html",
		SiteOrigin + "/a.png":                 "a.png",
		SiteOrigin + "/a.png?v=1":             "a.png",
		SiteOrigin + "/what%3F%23.png":        "what?#.png",
		SiteOrigin + "/sub/?x":                "sub/index.html",
		SiteOrigin + "/%E6%97%A5.png":         "日.png",
		SiteOrigin + "/100%25.png":            "100%.png",
		SiteOrigin + "/two%20words/three.txt": "two words/three.txt",
		"http://example.com/":                 "",
		"https://x.test/a.png":                "",
		"ws://127.0.0.1/":                     "",
	} {
		if _, got := AssetName(address); got != want {
			t.Errorf("the file at %q is %q, want %q", address, got, want)
		}
	}
}
