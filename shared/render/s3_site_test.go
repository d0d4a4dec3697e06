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

// uploadFolder puts a folder below a prefix in a new bucket and returns its address.
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

// site writes a composition with a stylesheet, a script and a picture that is too large to come along with its
// first request.
func site(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	tool(t, "ffmpeg", "-v", "error", "-f", "rawvideo", "-s", "160x90", "-pix_fmt", "rgb24", "-i", "/dev/urandom", "-frames:v", "1", filepath.Join(dir, "a picture.png"))
	for name, text := range map[string]string{
		"index.html": `<!doctype html><html data-duration="1"><link rel="stylesheet" href="css/a.css"><img src="a picture.png"><b></b><script src="a.js"></script>`,
		"css/a.css":  `body { margin: 0 } b { position: absolute; left: 0; top: 0; font: 40px monospace; animation: go 1s linear } @keyframes go { to { left: 100px } }`,
		"a.js":       `let n = 0; requestAnimationFrame(function frame() { requestAnimationFrame(frame); document.querySelector("b").textContent = n++ });`,
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

func TestACompositionInABucketShowsTheSameFrames(t *testing.T) {
	t.Setenv("HELIOS_CACHE", t.TempDir())
	server := s3test.Start(t)
	server.Setenv(t)
	dir := site(t)
	s := uploadFolder(t, server, dir)

	want := hashes(t, run(t, jobOf(t, small(dir))))
	if len(slices.Compact(slices.Clone(want))) < 10 {
		t.Fatalf("the frames do not differ: %q", want)
	}
	for _, input := range []string{s.URL(""), strings.TrimSuffix(s.URL(""), "/"), s.URL("index.html")} {
		o := small(input)
		o.Concurrency = 2
		if got := hashes(t, run(t, jobOf(t, o))); !slices.Equal(got, want) {
			t.Errorf("%s shows other frames", input)
		}
	}
}

func TestACompositionInABucketThatIsNotWhole(t *testing.T) {
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
			t.Errorf("%s: the error %v is of kind %s", input, err, fault.Of(err))
			return
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q is not in %q", input, word, err)
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
		t.Errorf("s3:// is located: %v", err)
	}

	t.Run("server away", func(t *testing.T) {
		t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
		t.Setenv("AWS_MAX_ATTEMPTS", "1")
		fails(s.URL(""), fault.Transient, "index.html")
	})
	t.Run("access denied", func(t *testing.T) {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "another secret")
		fails(s.URL(""), fault.User, "s3:GetObject", s.Bucket())
	})
}

// A page that waits for a bucket is not to blame, before its first frame or later.
func TestABucketThatStandsStill(t *testing.T) {
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
	var still atomic.Value
	still.Store("nothing")
	forward := &httputil.ReverseProxy{Transport: &http.Transport{DisableKeepAlives: true}, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}}
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, still.Load().(string)) {
			<-r.Context().Done()
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(between.Close)
	t.Setenv("AWS_ENDPOINT_URL", between.URL)
	for _, name := range []string{"/index.html", "/late.txt"} {
		still.Store("nothing")
		o := small(s.URL(""))
		o.Timeout = job.SecondsOf(4 * time.Second)
		j := jobOf(t, o)
		j.Retries = 0
		still.Store(name)
		if err := j.Run(t.Context()); fault.Of(err) != fault.Transient || !strings.Contains(err.Error(), s.URL("")+" does not answer") {
			t.Errorf("without %s it ends as %s: %v", name, fault.Of(err), err)
		}
	}
}
