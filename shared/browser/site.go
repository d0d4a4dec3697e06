package browser

import (
	"context"
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

// site is the storage of a composition.
type site interface {
	// serve responds with a file, or returns an error without responding: fs.ErrNotExist if the file does not exist.
	serve(http.ResponseWriter, *http.Request) error
	close()
}

// openSite returns the site of a composition, or nil for one on the web.
func openSite(ctx context.Context, o Options) (site, error) {
	switch {
	case o.Folder != "":
		return openFolder(o.Folder)
	case o.S3 != "":
		return openBucket(ctx, o.S3)
	}
	return nil, nil
}

// folder serves the files in a folder. It rejects paths and symbolic links that lead out of the folder.
type folder struct{ root *os.Root }

func openFolder(dir string) (site, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fault.Userf("opening the composition's folder: %w", err)
	}
	return &folder{root}, nil
}

func (f *folder) close() { f.root.Close() }

// sitePath returns the path in a site that a URL refers to: index.html for a folder.
func sitePath(u *url.URL) string {
	name := strings.TrimPrefix(path.Clean("/"+u.Path), "/")
	if name == "" || strings.HasSuffix(u.Path, "/") {
		name = path.Join(name, "index.html")
	}
	return name
}

func (f *folder) serve(w http.ResponseWriter, r *http.Request) error {
	// Without O_NONBLOCK, opening a named pipe waits for a writer.
	file, err := f.root.OpenFile(sitePath(r.URL), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENOTDIR) {
		return fs.ErrNotExist
	}
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fs.ErrNotExist
	}
	// Files can change between two renders.
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, info.Name(), info.ModTime(), file)
	return nil
}
