package remote

import (
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"helios/shared/addr"
	"helios/shared/capture"
	"helios/shared/cloud"
	"helios/shared/fault"
	"helios/shared/store/s3test"
)

const anyMachine = "arn:aws:states:us-east-1:123456789012:stateMachine:helios"

// openBucket opens a stack that consists of an S3 server.
func openBucket(t *testing.T) *Stack {
	t.Helper()
	server := s3test.Start(t)
	server.Setenv(t)
	return openStack(t, server.Bucket(t), anyMachine)
}

func openStack(t *testing.T, bucket, machine string) *Stack {
	t.Helper()
	s, err := Open(t.Context(), bucket, machine)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// folder writes files to a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		put(t, dir, name, text)
	}
	return dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func upload(t *testing.T, s *Stack, input string, except ...string) *UploadResult {
	t.Helper()
	c, err := capture.Locate("", input)
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.Upload(t.Context(), c, except...)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// site returns the files of a site in the bucket.
func site(t *testing.T, s *Stack, u *UploadResult) map[string]string {
	t.Helper()
	c, err := capture.Locate("", u.Address)
	if err != nil {
		t.Fatal(err)
	}
	_, prefix, _ := addr.SplitS3(c.S3)
	list, err := s.Bucket.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, o := range list {
		data, err := s.Bucket.Get(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(o.Key, prefix)] = string(data)
	}
	return files
}

// blobs returns the keys of all blobs.
func blobs(t *testing.T, s *Stack) (keys []string) {
	t.Helper()
	list, err := s.Bucket.List(t.Context(), blobsPrefix)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		keys = append(keys, o.Key)
	}
	return keys
}

// recordPuts inserts a proxy before S3. puts returns the keys that were uploaded since its last call.
func recordPuts(t *testing.T, s *Stack) func() (puts []string) {
	t.Helper()
	target, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var puts []string
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.Out.Host = p.In.Host
		if p.In.Method == http.MethodPut && p.In.ContentLength != 0 && p.In.Header.Get("X-Amz-Copy-Source") == "" {
			mu.Lock()
			puts = append(puts, strings.TrimPrefix(p.In.URL.Path, "/"+s.Bucket.Name+"/"))
			mu.Unlock()
		}
	}}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	*s = *openStack(t, s.Bucket.Name, anyMachine)
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		defer func() { puts = nil }()
		return puts
	}
}

func TestUploadSendsOnlyChanges(t *testing.T) {
	s := openBucket(t)
	puts := recordPuts(t, s)
	files := map[string]string{
		"index.html": "<html>", "a.css": "body {}", "img/same.txt": "body {}", "img/b.bin": strings.Repeat("b", 100_000),
		"empty.txt": "",
	}
	dir := folder(t, files)
	first := upload(t, s, dir)
	if first.Files != 5 || first.Bytes != 100_020 {
		t.Errorf("the first upload is %+v", first)
	}
	if got := site(t, s, first); !maps.Equal(got, files) {
		t.Errorf("the site has %q", slices.Sorted(maps.Keys(got)))
	}
	if n := len(puts()); n < 4 {
		t.Fatalf("%d objects were written, want at least 4", n)
	}

	second := upload(t, s, dir)
	if second.Sent != 0 || second.SentBytes != 0 || second.Address != first.Address {
		t.Errorf("the second upload is %+v, the first %+v", second, first)
	}
	if got := puts(); len(got) != 0 {
		t.Errorf("the second upload wrote %q", got)
	}

	before := blobs(t, s)
	put(t, dir, "a.css", "body { margin: 0 }")
	files["a.css"] = "body { margin: 0 }"
	third := upload(t, s, dir)
	if third.Sent != 1 || third.SentBytes != int64(len(files["a.css"])) || third.Address == first.Address {
		t.Errorf("after a change, the upload is %+v", third)
	}
	// The blob and the manifest.
	if got := puts(); len(got) != 2 {
		t.Errorf("after a change, the upload wrote %q", got)
	}
	if got := site(t, s, third); !maps.Equal(got, files) {
		t.Errorf("the changed site has %q", got)
	}
	if n := len(blobs(t, s)) - len(before); n != 1 {
		t.Errorf("%d blobs are new", n)
	}
	if got := site(t, s, first)["a.css"]; got != "body {}" {
		t.Errorf("the first site has changed: %q", got)
	}
}

func TestResumeUpload(t *testing.T) {
	s := openBucket(t)
	dir := folder(t, map[string]string{"index.html": "<html>", "a.css": "body {}"})
	u := upload(t, s, dir)
	// Simulate an upload that was killed before the copies.
	list, err := s.Bucket.List(t.Context(), cloud.SitesPrefix)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		if !strings.HasPrefix(o.Key, blobsPrefix) && !strings.HasSuffix(o.Key, "/index.html") {
			if err := s.Bucket.Delete(t.Context(), o.Key); err != nil {
				t.Fatal(err)
			}
		}
	}
	again := upload(t, s, dir)
	if again.Sent != 0 || again.Address != u.Address || len(site(t, s, again)) != 2 {
		t.Errorf("the second upload is %+v, %q", again, site(t, s, again))
	}
}

// oddNames are file names with characters that are special in URLs, keys or XML.
var oddNames = []string{
	"a b.txt", "50%.txt", "%41.txt", "a+b.txt", "a#b?c&d=e.txt", "quote'\".txt",
	"ünïcödé 日本 🎬.txt", "back\\slash.txt",
	"semi;colon:at@.txt", " lead and trail ",
	"deep/er and/deeper%2F.txt", "~tilde$(x)`y`.txt", "<angle>&amp;.txt",
}

func TestUploadOddNames(t *testing.T) {
	s := openBucket(t)
	files := map[string]string{"index.html": "<html>"}
	for _, name := range oddNames {
		files[name] = "content of " + name
	}
	dir := folder(t, files)
	if got := site(t, s, upload(t, s, dir)); !maps.Equal(got, files) {
		t.Errorf("the site has %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(files)))
	}
	for _, page := range []string{"50%#? page+é.html", "a b.HTM"} {
		put(t, dir, page, "<html>")
		u := upload(t, s, filepath.Join(dir, page))
		c, err := capture.Locate("", u.Address)
		if err != nil || c.Page != page {
			t.Errorf("%q is located as %q: %v", page, c.Page, err)
		}
		r := cloud.Request{}
		r.Input = u.Address
		if err := r.Validate(); err != nil {
			t.Errorf("%q is not a valid input: %v", page, err)
		}
	}
}

func TestUploadSkipsFiles(t *testing.T) {
	s := openBucket(t)
	elsewhere := folder(t, map[string]string{"secret.txt": "secret"})
	dir := folder(t, map[string]string{
		"index.html": "<html>", ".env": "secret", ".git/config": "secret", "real/a.txt": "a",
		"out.mp4": "the previous output",
	})
	for link, target := range map[string]string{
		"inside": "real", "file.txt": "real/a.txt", "real/loop": "..", "outside": elsewhere, "gone": "nowhere",
		"outside.txt": filepath.Join(elsewhere, "secret.txt"),
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	got := site(t, s, upload(t, s, dir, filepath.Join(dir, "out.mp4"), "", "none.mp4"))
	want := []string{"file.txt", "index.html", "inside/a.txt", "real/a.txt"}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Errorf("the site has %q, want %q", names, want)
	}
}

func TestUploadErrors(t *testing.T) {
	s := openBucket(t)
	dir := folder(t, map[string]string{"index.html": "<html>", "page.svg": "<svg/>"})
	fails := func(s *Stack, input string, word string) {
		t.Helper()
		c, err := capture.Locate("", input)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.Upload(t.Context(), c); fault.Of(err) != fault.User || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: the error is %v (%s)", input, err, fault.Of(err))
		}
	}
	fails(s, filepath.Join(dir, "page.svg"), "must end with .html")
	fails(openStack(t, "helios-test-nowhere", anyMachine), dir, "bucket helios-test-nowhere does not exist")
	put(t, dir, "not\xffutf8.txt", "x")
	fails(s, dir, `not\xffutf8.txt`)
}

func TestFileChangesDuringUpload(t *testing.T) {
	s := openBucket(t)
	dir := folder(t, map[string]string{"index.html": "<html>"})
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	f, err := digest(root, "index.html")
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "index.html", "<html lang=en>")
	if _, err := s.upload(t.Context(), root, Manifest{Files: []File{f}}, "index.html"); fault.Of(err) != fault.User {
		t.Errorf("the error is %v", err)
	}
	if list, err := s.Bucket.List(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("the bucket contains %v: %v", list, err)
	}
}

func TestUploadFile(t *testing.T) {
	s := openBucket(t)
	dir := folder(t, map[string]string{"music é.mp3": "sound", "other.txt": ""})
	u, err := s.UploadFile(t.Context(), filepath.Join(dir, "music é.mp3"))
	if err != nil {
		t.Fatal(err)
	}
	_, key, _ := addr.SplitS3(u.Address)
	if data, err := s.Bucket.Get(t.Context(), key); string(data) != "sound" || !strings.HasSuffix(key, "/music é.mp3") ||
		u.Files != 1 {
		t.Errorf("%s is %q: %v", u.Address, data, err)
	}
	if _, err := s.UploadFile(t.Context(), filepath.Join(dir, "none.mp3")); fault.Of(err) != fault.User ||
		!errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
}
