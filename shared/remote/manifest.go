package remote

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"helios/shared/fault"
)

const (
	// maxFiles and maxBytes bound what is uploaded, lest a page in a home folder takes all of it along.
	maxFiles = 10_000
	maxBytes = 10 << 30
	// maxPath leaves room in a key of 1024 bytes.
	maxPath = 900
)

// File is a file of a site.
type File struct {
	Path   string `json:"path"` // with slashes
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Manifest is all files of a site, by path. Equal files make an equal digest.
type Manifest struct {
	Files []File `json:"files"`
}

// encode returns the manifest as JSON and its digest.
func (t Manifest) encode() (data []byte, digest string, err error) {
	data, err = json.Marshal(t)
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:]), err
}

// size returns the bytes of all files.
func (t Manifest) size() (n int64) {
	for _, f := range t.Files {
		n += f.Size
	}
	return n
}

// reader finds the files of a folder.
type folderReader struct {
	root     *os.Root
	skip     func(fs.FileInfo) bool
	manifest Manifest
	size     int64
}

// readFolder reads a folder as a page would see it: links that lead out of it are not there. Hidden files, whose
// names begin with a dot, are left out, and so is what skip says.
func readFolder(root *os.Root, skip func(fs.FileInfo) bool) (Manifest, error) {
	r := &folderReader{root: root, skip: skip}
	top, err := root.Stat(".")
	if err != nil {
		return Manifest{}, err
	}
	if err := r.folder(".", []fs.FileInfo{top}); err != nil {
		return Manifest{}, err
	}
	slices.SortFunc(r.manifest.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return r.manifest, nil
}

func (r *folderReader) folder(name string, above []fs.FileInfo) error {
	entries, err := fs.ReadDir(r.root.FS(), name)
	if err != nil {
		return fault.Userf("reading the composition's folder: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		file := path.Join(name, e.Name())
		info, err := r.root.Stat(file) // of what a link leads to
		switch {
		case err != nil && e.Type()&fs.ModeSymlink != 0:
			continue
		case err != nil:
			return fault.Userf("reading the composition's folder: %w", err)
		case info.IsDir():
			loops := slices.ContainsFunc(above, func(dir fs.FileInfo) bool { return os.SameFile(dir, info) })
			if loops {
				continue
			}
			if err := r.folder(file, append(slices.Clip(above), info)); err != nil {
				return err
			}
		case info.Mode().IsRegular() && !r.skip(info):
			if err := r.file(file); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *folderReader) file(name string) error {
	if !utf8.ValidString(name) || len(name) > maxPath {
		return fault.Userf("%.100q cannot be the name of an object in S3; make it valid UTF-8 of at most %d bytes", name, maxPath)
	}
	f, err := digest(r.root, name)
	if err != nil {
		return err
	}
	r.manifest.Files = append(r.manifest.Files, f)
	r.size += f.Size
	if len(r.manifest.Files) > maxFiles || r.size > maxBytes {
		return fault.Userf("the folder %s has more than %d files or %d GiB, and all of it would be uploaded; move the composition into a folder of its own",
			r.root.Name(), maxFiles, maxBytes>>30)
	}
	return nil
}

// digest reads a file.
func digest(root *os.Root, name string) (File, error) {
	f, err := open(root, name)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, f)
	if err != nil {
		return File{}, fmt.Errorf("reading %s: %w", name, err)
	}
	return File{Path: name, SHA256: hex.EncodeToString(hash.Sum(nil)), Size: n}, nil
}

func open(root *os.Root, name string) (*os.File, error) {
	// What became a named pipe meanwhile would make a plain open wait for a writer.
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fault.Userf("reading the composition: %w", err)
	}
	return f, err
}
