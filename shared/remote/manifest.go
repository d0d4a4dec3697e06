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
	// maxFiles and maxBytes prevent the upload of a whole home folder that happens to contain a page.
	maxFiles = 10_000
	maxBytes = 10 << 30
	// maxPath is the longest path in bytes. Keys of S3 have at most 1024 bytes.
	maxPath = 900
)

// File is a file of a site.
type File struct {
	Path   string `json:"path"` // with slashes
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"` // bytes
}

// Manifest lists the files of a site, sorted by path. Equal sites have equal manifests.
type Manifest struct {
	Files []File `json:"files"`
}

// encode returns the manifest as JSON and the digest of that.
func (m Manifest) encode() (data []byte, digest string, err error) {
	data, err = json.Marshal(m)
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:]), err
}

// size returns the size of all files in bytes.
func (m Manifest) size() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// folderReader collects the files of a folder.
type folderReader struct {
	root     *os.Root
	skip     func(fs.FileInfo) bool
	manifest Manifest
	size     int64
}

// readFolder returns the manifest of a folder. It skips hidden files (the name starts with a dot), links to files
// outside the folder, and files for which skip returns true.
func readFolder(root *os.Root, skip func(fs.FileInfo) bool) (Manifest, error) {
	r := &folderReader{root: root, skip: skip}
	top, err := root.Stat(".")
	if err != nil {
		return Manifest{}, err
	}
	if err := r.addFolder(".", []fs.FileInfo{top}); err != nil {
		return Manifest{}, err
	}
	slices.SortFunc(r.manifest.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return r.manifest, nil
}

// addFolder adds a folder. It skips links to its parents, because they would make a loop.
func (r *folderReader) addFolder(name string, parents []fs.FileInfo) error {
	entries, err := fs.ReadDir(r.root.FS(), name)
	if err != nil {
		return fault.Userf("reading the composition's folder: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		file := path.Join(name, e.Name())
		info, err := r.root.Stat(file) // follows links inside the root
		switch {
		case err != nil && e.Type()&fs.ModeSymlink != 0:
			continue
		case err != nil:
			return fault.Userf("reading the composition's folder: %w", err)
		case info.IsDir():
			loops := slices.ContainsFunc(parents, func(dir fs.FileInfo) bool { return os.SameFile(dir, info) })
			if loops {
				continue
			}
			if err := r.addFolder(file, append(slices.Clip(parents), info)); err != nil {
				return err
			}
		case info.Mode().IsRegular() && !r.skip(info):
			if err := r.addFile(file); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *folderReader) addFile(name string) error {
	if !utf8.ValidString(name) || len(name) > maxPath {
		return fault.Userf("%.100q cannot be uploaded: its name is not valid UTF-8 of at most %d bytes; rename it",
			name, maxPath)
	}
	f, err := digest(r.root, name)
	if err != nil {
		return err
	}
	r.manifest.Files = append(r.manifest.Files, f)
	r.size += f.Size
	if len(r.manifest.Files) > maxFiles || r.size > maxBytes {
		return fault.Userf("the folder %s cannot be uploaded: it has more than %d files or %d GiB; "+
			"move the composition into its own folder", r.root.Name(), maxFiles, maxBytes>>30)
	}
	return nil
}

// digest returns the manifest's entry for a file.
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
	// O_NONBLOCK: if the file was replaced by a named pipe, a plain open would wait for a writer.
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fault.Userf("reading the composition: %w", err)
	}
	return f, err
}
