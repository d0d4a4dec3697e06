package capture

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// site is the folder of the compositions of all tests, so that one browser can open all of them. Each composition has a
// folder of its own below it.
var site string

// examples is the folder of the example compositions.
const examples = "../../examples"

// pageCount counts the compositions.
var pageCount atomic.Int64

// composition returns a composition that consists of one page.
func composition(t *testing.T, html string) Composition {
	t.Helper()
	return folder(t, map[string]string{"index.html": "<!doctype html>" + html})
}

// folder returns a composition that consists of files. Its page is index.html.
func folder(t *testing.T, files map[string]string) Composition {
	t.Helper()
	name := strconv.FormatInt(pageCount.Add(1), 10)
	c := Composition{Input: "page " + name, Folder: site, Page: name + "/index.html"}
	writeFiles(t, pageFolder(c), files)
	return c
}

// ownFolder returns a composition that consists of files and has a browser of its own. The names of its files are
// those that the test gives.
func ownFolder(t *testing.T, files map[string]string) Composition {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, files)
	c, err := Locate("", dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// pageFolder returns the folder that contains the page of a local composition.
func pageFolder(c Composition) string { return filepath.Join(c.Folder, filepath.Dir(c.Page)) }

// server serves the compositions of all tests that need one, so that one browser can open all of them.
var (
	server   *httptest.Server
	handlers http.ServeMux
)

// serve returns a composition on the web. Its handler sees the paths below the page's folder; the page is /.
func serve(t *testing.T, handle http.HandlerFunc) Composition {
	t.Helper()
	prefix := fmt.Sprintf("/%d", pageCount.Add(1))
	handlers.Handle(prefix+"/", http.StripPrefix(prefix, handle))
	c, err := Locate("", server.URL+prefix+"/")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// generated are the media files that tests share, by their ffmpeg arguments.
var generated sync.Map

// generate adds a file that ffmpeg makes to a composition. args precede the name of the file.
func generate(t *testing.T, c Composition, name string, args ...string) {
	t.Helper()
	needChromium(t)
	ext := filepath.Ext(name)
	sum := sha256.Sum256(fmt.Append(nil, ext, args))
	file := filepath.Join(site, fmt.Sprintf("media-%x%s", sum[:8], ext))
	run := func() error {
		args := append([]string{"-nostdin", "-v", "error", "-y"}, append(args, file)...)
		if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ffmpeg %q: %w: %s", args, err, out)
		}
		return nil
	}
	once, _ := generated.LoadOrStore(file, sync.OnceValue(run))
	if err := once.(func() error)(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(pageFolder(c), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(file, path); err != nil {
		t.Fatal(err)
	}
}
