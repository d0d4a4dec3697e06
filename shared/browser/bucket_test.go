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

// knockS3 opens a door to files in a new bucket, below site/.
func knockS3(t *testing.T, files map[string]string) (*store.S3, *bucket, *door, *http.Client) {
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
	d, client := knock(t, s, "")
	return objects, s.(*bucket), d, client
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

// noise is as long as what is kept in the cache.
func noise() string {
	data := make([]byte, 3*store.HeadSize)
	rand.Read(data)
	return string(data)
}

func TestBucketServesWhatIsBelowItsPrefix(t *testing.T) {
	files := map[string]string{
		"index.html": "the index", "sub/index.html": "the index of sub", "empty.txt": "", "a.css": "a{}", "large.bin": noise(), "../outside": "",
	}
	delete(files, "../outside")
	for _, name := range oddNames {
		files[name] = "this is " + name
	}
	objects, _, d, client := knockS3(t, files)
	putObjects(t, store.NewS3(objects.Client(), objects.Bucket(), ""), map[string]string{"secret.txt": "secret", "site2/secret.txt": "secret"})
	for name, text := range files {
		for range 2 { // the second time from the cache
			address := SiteOrigin + (&url.URL{Path: "/" + name}).EscapedPath()
			if status, body := get(t, client, address); status != 200 || body != text {
				t.Errorf("%s answers %d with %d bytes", address, status, len(body))
			}
		}
	}
	for _, test := range []struct {
		target string
		status int
	}{
		{"/", 200}, {"/sub/", 200}, {"/sub", 404}, {"/missing.txt", 404}, {"/a.css/x", 404},
		{"/../secret.txt", 404}, {"/%2e%2e/secret.txt", 404}, {"/%2e%2e%2fsecret.txt", 404}, {"/../site2/secret.txt", 404}, {"/2/secret.txt", 404},
	} {
		status, body := rawGet(t, d, SiteOrigin+test.target)
		if status != test.status || strings.Contains(body, "secret") {
			t.Errorf("%s answers %d, %q, want %d", test.target, status, body, test.status)
		}
	}
	r, err := client.Get(SiteOrigin + "/a.css")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if got := r.Header.Get("Content-Type"); got != "text/css; charset=utf-8" {
		t.Errorf("the stylesheet has the type %q", got)
	}
}

func TestBucketServesRanges(t *testing.T) {
	large := noise()
	_, s, _, client := knockS3(t, map[string]string{"a.mp4": large})
	for _, limit := range []int64{cacheLimit, 0} { // from the cache, and what is too large for it
		s.cache.limit = limit
		request, _ := http.NewRequest("GET", SiteOrigin+"/a.mp4", nil)
		request.Header.Set("Range", "bytes=40000-90000")
		r, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode != 206 || string(body) != large[40000:90001] {
			t.Errorf("with %d bytes of cache: status %d, %d bytes", limit, r.StatusCode, len(body))
		}
		if status, body := get(t, client, SiteOrigin+"/a.mp4"); status != 200 || body != large {
			t.Errorf("with %d bytes of cache: status %d, %d bytes", limit, status, len(body))
		}
	}
}

func TestBucketServesWhatIsThereNow(t *testing.T) {
	first, second := noise(), noise()
	objects, s, d, client := knockS3(t, map[string]string{"a.bin": first})
	for _, want := range []string{first, second} {
		putObjects(t, objects, map[string]string{"a.bin": want})
		if _, body := get(t, client, SiteOrigin+"/a.bin"); body != want {
			t.Error("that is the wrong version")
		}
	}
	if names := cached(t, s); len(names) != 2 {
		t.Fatalf("the cache holds %q", names)
	}
	// The third one needs the room.
	s.cache.limit = 6 * store.HeadSize
	putObjects(t, objects, map[string]string{"a.bin": noise()})
	get(t, client, SiteOrigin+"/a.bin")
	if names := cached(t, s); len(names) != 2 {
		t.Errorf("the cache holds %q", names)
	}
	if err := objects.Remove(t.Context(), "a.bin"); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, client, SiteOrigin+"/a.bin"); status != 404 || d.failure.Load() != nil {
		t.Errorf("what is gone answers %d", status)
	}
}

func cached(t *testing.T, s *bucket) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(s.cache.dir.Path(""), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestBucketThatRefusesOrIsAway(t *testing.T) {
	_, s, d, client := knockS3(t, map[string]string{"a.txt": "x"})
	secret := os.Getenv("AWS_SECRET_ACCESS_KEY")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another secret")
	other, err := openBucket(t.Context(), s.objects.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.close)
	denied, deniedClient := knock(t, other, "")
	status, body := get(t, deniedClient, SiteOrigin+"/a.txt")
	problem := denied.problem(SiteOrigin + "/a.txt")
	if status != 403 || problem == nil || !strings.Contains(problem.Error(), "s3:GetObject") || strings.Contains(body, s.objects.Bucket()) {
		t.Errorf("without access: status %d, %q, %v", status, body, problem)
	}

	// A server that is not there any more.
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	gone, err := openBucket(t.Context(), s.objects.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gone.close)
	away, awayClient := knock(t, gone, "")
	if status, _ := get(t, awayClient, SiteOrigin+"/a.txt"); status != 502 {
		t.Errorf("a server that is away makes status %d", status)
	}
	if failure := away.failure.Load(); failure == nil || fault.Of(*failure) != fault.Transient {
		t.Errorf("that is not taken for something that passes: %v", away.problem(SiteOrigin+"/a.txt"))
	}
	if status, _ := get(t, client, SiteOrigin+"/a.txt"); status != 200 || d.failure.Load() != nil {
		t.Errorf("the first door answers %d", status)
	}
}

func TestPageFromABucket(t *testing.T) {
	objects, s, _, _ := knockS3(t, map[string]string{
		"index.html": `<!doctype html><script src="a b.js"></script>`, "a b.js": "window.got = 'it'",
	})
	_ = s
	b := launch(t, Options{S3: objects.URL("")})
	p := navigate(t, b, SiteOrigin+"/")
	if got := evaluate[string](t, p, "window.got"); got != "it" {
		t.Errorf("the script gave %q", got)
	}
	// Nothing about the bucket reaches the page.
	if got := evaluate[string](t, p, "fetch('missing').then(async r => JSON.stringify([...r.headers]) + await r.text())"); strings.Contains(got, objects.Bucket()) {
		t.Errorf("the page learns %q", got)
	}
}
