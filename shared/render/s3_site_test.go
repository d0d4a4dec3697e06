package render

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/store"
	"helios/shared/store/s3test"
)

// uploadFolder uploads a folder to a prefix in a new bucket.
func uploadFolder(t *testing.T, server *s3test.Server, dir string) *store.S3 {
	t.Helper()
	s := store.NewS3(server.Client(), server.Bucket(t), "sites/one")
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		w, err := s.Create(t.Context(), filepath.ToSlash(name))
		if err != nil {
			return err
		}
		defer w.Abort()
		if _, err := w.Write(read(t, path)); err != nil {
			return err
		}
		return w.Commit()
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// site writes a composition with a stylesheet, a script and an image that takes more than one request.
func site(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	tool(t, "ffmpeg", "-v", "error", "-f", "rawvideo", "-s", "160x90", "-pix_fmt", "rgb24", "-i", "/dev/urandom",
		"-frames:v", "1", filepath.Join(dir, "an image.png"))
	for name, text := range map[string]string{
		"index.html": `<!doctype html><html data-duration="1"><link rel="stylesheet" href="css/a.css">
			<img src="an image.png"><b></b><script src="a.js"></script>`,
		"css/a.css": `body { margin: 0 }
			b { position: absolute; left: 0; top: 0; font: 40px monospace; animation: go 1s linear }
			@keyframes go { to { left: 100px } }`,
		"a.js": `let n = 0;
			requestAnimationFrame(function frame() {
				requestAnimationFrame(frame);
				document.querySelector("b").textContent = n++;
			});`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCompositionInABucket(t *testing.T) {
	t.Setenv("HELIOS_CACHE", t.TempDir())
	server := s3test.Start(t)
	server.Setenv(t)
	dir := site(t)
	s := uploadFolder(t, server, dir)

	want := hashes(t, run(t, jobOf(t, small(dir))))
	if len(slices.Compact(slices.Clone(want))) < 10 {
		t.Fatalf("the frames are equal: %q", want)
	}
	for _, input := range []string{s.URL(""), strings.TrimSuffix(s.URL(""), "/"), s.URL("index.html")} {
		o := small(input)
		o.Concurrency = 2
		if got := hashes(t, run(t, jobOf(t, o))); !slices.Equal(got, want) {
			t.Errorf("%s: the frames differ from those of the local composition", input)
		}
	}
}

func TestErrorsOfACompositionInABucket(t *testing.T) {
	t.Setenv("HELIOS_CACHE", t.TempDir())
	server := s3test.Start(t)
	server.Setenv(t)
	s := uploadFolder(t, server, site(t))
	fails := func(input string, kind fault.Kind, words ...string) {
		t.Helper()
		j := jobOf(t, small(input))
		j.Retries = 0
		err := j.Run(t.Context())
		if fault.Of(err) != kind {
			t.Errorf("%s: the error is of kind %s, want %s: %v", input, fault.Of(err), kind, err)
			return
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error is %q, want %q in it", input, err, word)
			}
		}
	}
	fails(s.URL("none.html"), fault.User, "none.html", "404")
	if err := s.Remove(t.Context(), "css/a.css"); err != nil {
		t.Fatal(err)
	}
	fails(s.URL(""), fault.User, "missing stylesheet css/a.css")
	fails("s3://helios-test-nowhere/", fault.User, "bucket helios-test-nowhere does not exist")
	if _, err := capture.Locate("", "s3://"); fault.Of(err) != fault.User {
		t.Errorf("Locate(s3://) = %v, want a user error", err)
	}

	t.Run("server unreachable", func(t *testing.T) {
		t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
		t.Setenv("AWS_MAX_ATTEMPTS", "1")
		fails(s.URL(""), fault.Transient, "index.html")
	})
	t.Run("access denied", func(t *testing.T) {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "another secret")
		fails(s.URL(""), fault.User, "s3:GetObject", s.Bucket())
	})
}

// A bucket that does not answer is a transient error, not an error of the page, before the first frame and later.
func TestBucketThatDoesNotAnswer(t *testing.T) {
	t.Setenv("HELIOS_CACHE", t.TempDir())
	server := s3test.Start(t)
	server.Setenv(t)
	dir := t.TempDir()
	page := `<!doctype html><html data-duration="1"><script>setTimeout(() => fetch("late.txt"), 300)</script>`
	for name, text := range map[string]string{"index.html": page, "late.txt": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s := uploadFolder(t, server, dir)
	to, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	// The proxy does not answer requests for this object.
	var stalled atomic.Value
	stalled.Store("none")
	forward := &httputil.ReverseProxy{
		Transport: &http.Transport{DisableKeepAlives: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // the signature covers the host
		},
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, stalled.Load().(string)) {
			<-r.Context().Done()
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	t.Setenv("AWS_ENDPOINT_URL", proxy.URL)
	for _, name := range []string{"/index.html", "/late.txt"} {
		stalled.Store("none")
		o := small(s.URL(""))
		o.Timeout = job.SecondsOf(4 * time.Second)
		j := jobOf(t, o)
		j.Retries = 0
		stalled.Store(name)
		err := j.Run(t.Context())
		if fault.Of(err) != fault.Transient || !strings.Contains(err.Error(), s.URL("")+" does not respond") {
			t.Errorf("without %s, Run() = %v (%s)", name, err, fault.Of(err))
		}
	}
}
