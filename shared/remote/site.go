package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"helios/shared/capture"
	"helios/shared/cloud"
	"helios/shared/fault"
	"helios/shared/store"
)

// A site is the prefix sites/<digest of its manifest>/. Its files are copied there inside S3 from sites/blobs/<digest>,
// where each content is uploaded once, whichever sites it is part of. sites/<digest>.json, the manifest, is written
// last: where it is, the site is whole. Nothing of it ever changes, so that a render that runs sees one state.
const blobsPrefix = cloud.SitesPrefix + "blobs/"

// uploadConcurrency is how many files are sent at once.
const uploadConcurrency = 8

// UploadResult is what became of an upload.
type UploadResult struct {
	// Address is that of the page, or of the file: s3://bucket/sites/…
	Address string
	// Files and Bytes are what the site is made of, Sent and SentBytes what had to be sent.
	Files, Sent      int
	Bytes, SentBytes int64
}

// Upload makes a site of a local composition and returns its address: the whole folder but hidden files, and the
// files that are left out by name. Only content that the bucket does not have yet is sent.
func (s *Stack) Upload(ctx context.Context, c capture.Composition, except ...string) (*UploadResult, error) {
	if ext := strings.ToLower(filepath.Ext(c.Page)); ext != ".html" && ext != ".htm" {
		return nil, fault.Userf("%s is not called .html; rename it, for in S3 only the name tells a page from a folder", c.Input)
	}
	root, err := os.OpenRoot(c.Folder)
	if err != nil {
		return nil, fault.Userf("opening the composition's folder: %w", err)
	}
	defer root.Close()
	var left []fs.FileInfo
	for _, name := range except {
		if info, err := os.Stat(name); err == nil {
			left = append(left, info)
		}
	}
	manifest, err := readFolder(root, func(info fs.FileInfo) bool {
		for _, l := range left {
			if os.SameFile(l, info) {
				return true
			}
		}
		return false
	})
	if err != nil {
		return nil, err
	}
	return s.upload(ctx, root, manifest, c.Page)
}

// UploadFile makes a site of one file, such as a sound.
func (s *Stack) UploadFile(ctx context.Context, name string) (*UploadResult, error) {
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return nil, fault.Userf("opening %s: %w", name, err)
	}
	defer root.Close()
	f, err := digest(root, filepath.Base(name))
	if err != nil {
		return nil, fault.Userf("opening %s: %w", name, err)
	}
	return s.upload(ctx, root, Manifest{Files: []File{f}}, f.Path)
}

func (s *Stack) upload(ctx context.Context, root *os.Root, manifest Manifest, page string) (*UploadResult, error) {
	text, digest, err := manifest.encode()
	if err != nil {
		return nil, err
	}
	prefix, key := cloud.SitesPrefix+digest+"/", digest+".json"
	u := &UploadResult{Address: s.Bucket.Objects(prefix).URL(page), Files: len(manifest.Files), Bytes: manifest.size()}
	sites := s.Bucket.Objects(cloud.SitesPrefix)
	switch whole, err := sites.Open(ctx, key); {
	case err == nil:
		return u, whole.Close()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	var sent, sentBytes atomic.Int64
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(uploadConcurrency)
	for _, f := range manifest.Files {
		g.Go(func() error {
			isNew, err := s.putFile(gctx, root, f, prefix+f.Path)
			if isNew {
				sent.Add(1)
				sentBytes.Add(f.Size)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	u.Sent, u.SentBytes = int(sent.Load()), sentBytes.Load()
	return u, putNew(ctx, sites, key, strings.NewReader(string(text)))
}

// place puts a file under a key and reports whether its content had to be sent.
func (s *Stack) putFile(ctx context.Context, root *os.Root, f File, key string) (sent bool, err error) {
	err = s.Bucket.Objects("").Copy(ctx, blobsPrefix+f.SHA256, key)
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := s.uploadBlob(ctx, root, f); err != nil {
		return false, err
	}
	return true, s.Bucket.Objects("").Copy(ctx, blobsPrefix+f.SHA256, key)
}

// send uploads the content of a file, unless it has changed since it was looked at.
func (s *Stack) uploadBlob(ctx context.Context, root *os.Root, f File) error {
	content, err := open(root, f.Path)
	if err != nil {
		return err
	}
	defer content.Close()
	hash := sha256.New()
	w, err := s.Bucket.Objects(blobsPrefix).Create(ctx, f.SHA256)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.Copy(io.MultiWriter(w, hash), content); err != nil {
		return fmt.Errorf("uploading %s: %w", f.Path, err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != f.SHA256 {
		return fault.Userf("%s changed while it was uploaded; try again when nothing writes it", f.Path)
	}
	return ignoreExists(w.CommitNew())
}

// write makes a small object.
func putNew(ctx context.Context, to *store.S3, name string, r io.Reader) error {
	return ignoreExists(store.Put(ctx, to, name, r, store.Writer.CommitNew))
}

// already is for objects that are named after their content: who wrote them does not matter.
func ignoreExists(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
