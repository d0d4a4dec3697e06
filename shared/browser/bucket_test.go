package browser

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helios/shared/fault"
	"helios/shared/store"
	"helios/shared/store/s3test"
)

// newBucketProxy starts a proxy that serves files below the prefix site/ of a new bucket.
func newBucketProxy(t *testing.T, files map[string]string) (*store.S3, *bucket, *proxy, *http.Client) {
	t.Helper()
	t.Setenv(cacheVariable, t.TempDir())
	server := s3test.Start(t)
	server.Setenv(t)
	objects := store.NewS3(server.Client(), server.Bucket(t), "site")
	putObjects(t, objects, files)
	s, err := openBucket(t.Context(), objects.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	p, client := newProxy(t, s, "")
	return objects, s.(*bucket), p, client
}

func putObjects(t *testing.T, s store.Store, files map[string]string) {
	t.Helper()
	for name, text := range files {
		w, err := s.Create(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, text)
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

// noise returns random content that is large enough for the cache.
func noise() string {
	data := make([]byte, 3*store.HeadSize)
	rand.Read(data)
	return string(data)
}

func TestBucketServesObjectsBelowItsPrefix(t *testing.T) {
	files := map[string]string{
		"index.html": "the index", "sub/index.html": "the index of sub", "empty.txt": "", "a.css": "a{}",
		"large.bin": noise(),
	}
	for _, name := range oddNames {
		files[name] = "this is " + name
	}
	objects, _, p, client := newBucketProxy(t, files)
	putObjects(t, store.NewS3(objects.Client(), objects.Bucket(), ""), map[string]string{
		"secret.txt": "secret", "site2/secret.txt": "secret",
	})
	for name, text := range files {
		for range 2 { // the second time from the cache
			address := SiteOrigin + (&url.URL{Path: "/" + name}).EscapedPath()
			if status, body := get(t, client, address); status != 200 || body != text {
				t.Errorf("%s: status %d, %d bytes", address, status, len(body))
			}
		}
	}
	for _, test := range []struct {
		target string
		status int
	}{
		{"/", 200}, {"/sub/", 200}, {"/sub", 404}, {"/missing.txt", 404}, {"/a.css/x", 404},
		{"/../secret.txt", 404}, {"/%2e%2e/secret.txt", 404}, {"/%2e%2e%2fsecret.txt", 404},
		{"/../site2/secret.txt", 404}, {"/2/secret.txt", 404},
	} {
		status, body := rawGet(t, p, SiteOrigin+test.target)
		if status != test.status || strings.Contains(body, "secret") {
			t.Errorf("%s: status %d, %q; want %d", test.target, status, body, test.status)
		}
	}
	r, err := client.Get(SiteOrigin + "/a.css")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if got := r.Header.Get("Content-Type"); got != "text/css; charset=utf-8" {
		t.Errorf("the type of the stylesheet is %q", got)
	}
}

func TestBucketServesRanges(t *testing.T) {
	large := noise()
	_, s, _, client := newBucketProxy(t, map[string]string{"a.mp4": large})
	for _, limit := range []int64{cacheLimit, 0} { // cached, and too large for the cache
		s.cache.limit = limit
		request, _ := http.NewRequest(http.MethodGet, SiteOrigin+"/a.mp4", nil)
		request.Header.Set("Range", "bytes=40000-90000")
		r, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode != http.StatusPartialContent || string(body) != large[40000:90001] {
			t.Errorf("with a cache of %d bytes: status %d, %d bytes", limit, r.StatusCode, len(body))
		}
		if status, body := get(t, client, SiteOrigin+"/a.mp4"); status != 200 || body != large {
			t.Errorf("with a cache of %d bytes: status %d, %d bytes", limit, status, len(body))
		}
	}
}

func TestBucketServesTheCurrentVersion(t *testing.T) {
	first, second := noise(), noise()
	objects, s, p, client := newBucketProxy(t, map[string]string{"a.bin": first})
	for _, want := range []string{first, second} {
		putObjects(t, objects, map[string]string{"a.bin": want})
		if _, body := get(t, client, SiteOrigin+"/a.bin"); body != want {
			t.Error("the content is that of another version")
		}
	}
	if names := cachedFiles(t, s); len(names) != 2 {
		t.Fatalf("the cache contains %q", names)
	}
	// The third version evicts another one.
	s.cache.limit = 6 * store.HeadSize
	putObjects(t, objects, map[string]string{"a.bin": noise()})
	get(t, client, SiteOrigin+"/a.bin")
	if names := cachedFiles(t, s); len(names) != 2 {
		t.Errorf("the cache contains %q", names)
	}
	if err := objects.Remove(t.Context(), "a.bin"); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, client, SiteOrigin+"/a.bin"); status != 404 || p.transient.Load() != nil {
		t.Errorf("a deleted object: status %d", status)
	}
}

func cachedFiles(t *testing.T, s *bucket) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(s.cache.dir.Path(""), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestBucketWithoutAccessOrServer(t *testing.T) {
	_, s, p, client := newBucketProxy(t, map[string]string{"a.txt": "x"})
	secret := os.Getenv("AWS_SECRET_ACCESS_KEY")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another secret")
	other, err := openBucket(t.Context(), s.objects.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.close)
	denied, deniedClient := newProxy(t, other, "")
	status, body := get(t, deniedClient, SiteOrigin+"/a.txt")
	problem := denied.errorFor(SiteOrigin + "/a.txt")
	if status != 403 || problem == nil || !strings.Contains(problem.Error(), "s3:GetObject") ||
		strings.Contains(body, s.objects.Bucket()) {
		t.Errorf("without access: status %d, %q, %v", status, body, problem)
	}

	// A server that does not run.
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	gone, err := openBucket(t.Context(), s.objects.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gone.close)
	offline, offlineClient := newProxy(t, gone, "")
	if status, _ := get(t, offlineClient, SiteOrigin+"/a.txt"); status != 502 {
		t.Errorf("without a server: status %d", status)
	}
	if err := offline.transient.Load(); err == nil || fault.Of(*err) != fault.Transient {
		t.Errorf("without a server the error is not transient: %v", offline.errorFor(SiteOrigin+"/a.txt"))
	}
	if status, _ := get(t, client, SiteOrigin+"/a.txt"); status != 200 || p.transient.Load() != nil {
		t.Errorf("the first proxy: status %d", status)
	}
}

func TestPageFromABucket(t *testing.T) {
	objects, _, _, _ := newBucketProxy(t, map[string]string{
		"index.html": `<!doctype html><script src="a b.js"></script>`, "a b.js": "window.got = 'it'",
	})
	b := launch(t, Options{S3: objects.URL("")})
	p := navigate(t, b, SiteOrigin+"/")
	if got := evaluate[string](t, p, "window.got"); got != "it" {
		t.Errorf("the script set %q", got)
	}
	// Responses must not contain the name of the bucket.
	const fetchMissing = "fetch('missing').then(async r => JSON.stringify([...r.headers]) + await r.text())"
	if got := evaluate[string](t, p, fetchMissing); strings.Contains(got, objects.Bucket()) {
		t.Errorf("the page received %q", got)
	}
}
