package browser

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"syscall"

	"helios/shared/fault"
)

// site is where the files of a composition are.
type site interface {
	// serve answers with a file, or returns an error: an fs.ErrNotExist when there is none.
	serve(http.ResponseWriter, *http.Request) error
	close()
}

// disk serves the files of a composition's folder. Paths and links that lead out of the folder find nothing.
type disk struct{ root *os.Root }

func openDisk(folder string) (site, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fault.Userf("opening the composition's folder: %w", err)
	}
	return &disk{root}, nil
}

func (s *disk) close() { s.root.Close() }

// sitePath returns the path in the folder of what a URL names.
func sitePath(u *url.URL) string {
	name := strings.TrimPrefix(path.Clean("/"+u.Path), "/")
	if name == "" || strings.HasSuffix(u.Path, "/") {
		name = path.Join(name, "index.html")
	}
	return name
}

func (s *disk) serve(w http.ResponseWriter, r *http.Request) error {
	name := sitePath(r.URL)
	// A named pipe would make a plain open wait for a writer.
	f, err := s.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENOTDIR) {
		return fs.ErrNotExist
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fs.ErrNotExist
	}
	// The composition may change between two renders.
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, info.Name(), info.ModTime(), f)
	return nil
}
