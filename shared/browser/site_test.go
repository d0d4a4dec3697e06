package browser

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func openRoot(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// oddNames are file names that need escapes in a URL.
var oddNames = []string{
	"two words.txt", "日本語.txt", "100%.txt", "100%25.txt", "a#b.txt", "a?b.txt", "two\nlines.txt", "a&b=c+d.txt",
	`back\slash.txt`, "é.txt", "..txt", "...", "-rf.txt", ".hidden", "quote'\".txt",
	"folder with spaces/ä ö/ü.txt",
}

func TestOddNames(t *testing.T) {
	files := map[string]string{"index.html": "<!doctype html>"}
	for _, name := range oddNames {
		files[name] = "this is " + name
	}
	dir := writeFolder(t, files)
	_, client := newProxy(t, &folder{openRoot(t, dir)}, "")
	for _, name := range oddNames {
		address := SiteOrigin + (&url.URL{Path: "/" + name}).EscapedPath()
		if status, body := get(t, client, address); status != 200 || body != files[name] {
			t.Errorf("%s: status %d, %q", address, status, body)
		}
	}

	// JavaScript escapes other characters than Go.
	p := navigate(t, launch(t, Options{Folder: dir}), SiteOrigin+"/")
	for _, name := range oddNames {
		const fetchFile = `fetch(%q.split("/").map(encodeURIComponent).join("/")).then(r => r.text())`
		got := evaluate[string](t, p, fmt.Sprintf(fetchFile, name))
		if got != files[name] {
			t.Errorf("%q: the page received %q", name, got)
		}
	}
	var paths []string
	for _, a := range p.Assets() {
		paths = append(paths, a.File)
	}
	for _, name := range oddNames {
		if !slices.Contains(paths, name) {
			t.Errorf("the assets %q do not contain %q", paths, name)
		}
	}
}

func TestContentTypes(t *testing.T) {
	types := map[string]string{
		"a.html": "text/html; charset=utf-8", "a.css": "text/css; charset=utf-8", "a.txt": "text/plain; charset=utf-8",
		"a.js": "text/javascript; charset=utf-8", "a.mjs": "text/javascript; charset=utf-8",
		"a.json": "application/json", "a.svg": "image/svg+xml", "a.wasm": "application/wasm",
		"a.png": "image/png", "a.jpg": "image/jpeg", "a.webp": "image/webp", "a.woff2": "font/woff2",
	}
	files := map[string]string{}
	for name := range types {
		files[name] = "x"
	}
	files["a.woff2"] = "wOF2\x00\x01\x00\x00"
	_, client := newProxy(t, &folder{openRoot(t, writeFolder(t, files))}, "")
	for name, want := range types {
		r, err := client.Get(SiteOrigin + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if got := r.Header.Get("Content-Type"); got != want {
			t.Errorf("the type of %s is %q, want %q", name, got, want)
		}
	}
}

func TestRanges(t *testing.T) {
	_, client := newProxy(t, &folder{openRoot(t, writeFolder(t, map[string]string{"a.mp4": "0123456789"}))}, "")
	for _, test := range []struct {
		requested, content, body string
		status                   int
	}{
		{"bytes=2-4", "bytes 2-4/10", "234", 206},
		{"bytes=7-", "bytes 7-9/10", "789", 206},
		{"bytes=-1", "bytes 9-9/10", "9", 206},
		{"bytes=0-99", "bytes 0-9/10", "0123456789", 206},
		{"bytes=10-", "bytes */10", "", 416},
		{"", "", "0123456789", 200},
	} {
		request, _ := http.NewRequest(http.MethodGet, SiteOrigin+"/a.mp4", nil)
		if test.requested != "" {
			request.Header.Set("Range", test.requested)
		}
		r, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode == http.StatusRequestedRangeNotSatisfiable {
			body = nil
		}
		if r.StatusCode != test.status || r.Header.Get("Content-Range") != test.content || string(body) != test.body {
			t.Errorf("%q: status %d, %q, %q", test.requested, r.StatusCode, r.Header.Get("Content-Range"), body)
		}
	}
}

func TestFilesOutsideTheFolderAreNotServed(t *testing.T) {
	dir := t.TempDir()
	inside, outside := filepath.Join(dir, "site"), filepath.Join(dir, "outside")
	write(t, inside, map[string]string{
		"index.html": "the index", "sub/index.html": "the index of sub", "bare/file.txt": "x", "file.txt": "a file",
		"real.txt": "real",
	})
	write(t, outside, map[string]string{"secret.txt": "secret", "index.html": "secret"})
	for link, target := range map[string]string{
		"out": outside, "out-relative": "../outside", "out.txt": outside + "/secret.txt", "up": "..", "passwd": "/etc/passwd",
		"loop": "loop", "dangling": "nowhere", "inside.txt": "real.txt", "proc": "/proc/self/root",
	} {
		if err := os.Symlink(target, filepath.Join(inside, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(inside, "pipe"), 0o666); err != nil {
		t.Fatal(err)
	}
	p, _ := newProxy(t, &folder{openRoot(t, inside)}, "")
	for _, test := range []struct {
		target string
		status int
		body   string
	}{
		{"/", 200, "the index"},
		{"/index.html", 200, "the index"},
		{"/sub/", 200, "the index of sub"},
		{"/sub/?query", 200, "the index of sub"},
		{"/./sub/../file.txt?x#y", 200, "a file"},
		{"/../file.txt", 200, "a file"}, // .. at the root is the root
		{"/inside.txt", 200, "real"},
		{"//file.txt", 200, "a file"},

		{"/sub", 404, ""},
		{"/bare", 404, ""},
		{"/bare/", 404, ""}, // no directory listing
		{"/missing.txt", 404, ""},
		{"/file.txt/", 404, ""},
		{"/file.txt/x", 404, ""},
		{"/dangling", 404, ""},
		{"/pipe", 404, ""},

		{"/loop", 403, ""},
		{"/out/secret.txt", 403, ""},
		{"/out/", 403, ""},
		{"/out-relative/secret.txt", 403, ""},
		{"/out.txt", 403, ""},
		{"/up/outside/secret.txt", 403, ""},
		{"/up/site/file.txt", 403, ""},
		{"/passwd", 403, ""},
		{"/proc/etc/passwd", 403, ""},
		{"/" + strings.Repeat("n", 300), 403, ""},
		{"/a%00b", 403, ""},

		{"/../outside/secret.txt", 404, ""},
		{"/%2e%2e/outside/secret.txt", 404, ""},
		{"/%2e%2e%2foutside%2fsecret.txt", 404, ""},
		{"/sub/..%2f..%2foutside%2fsecret.txt", 404, ""},
		{"/..%5coutside%5csecret.txt", 404, ""},
		{"/%252e%252e/outside/secret.txt", 404, ""},
		{outside + "/secret.txt", 404, ""},
		{"/" + outside + "/secret.txt", 404, ""},
	} {
		status, body := rawGet(t, p, SiteOrigin+test.target)
		if status != test.status || test.status == 200 && body != test.body ||
			strings.Contains(body, "secret") || strings.Contains(body, "root:") {
			t.Errorf("%s: status %d, %q; want %d, %q", test.target, status, body, test.status, test.body)
		}
	}
	if err := p.errorFor(SiteOrigin + "/out.txt"); err == nil || err.Error() != "path escapes from parent" {
		t.Errorf("errorFor a link that leads out of the folder = %v", err)
	}
}

// rawGet requests an address exactly as given. An http.Client would clean its path.
func rawGet(t *testing.T, p *proxy, address string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", address)
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	defer r.Body.Close()
	text, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(text)
}
