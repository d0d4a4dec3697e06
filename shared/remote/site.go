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

const blobsPrefix = cloud.SitesPrefix + "blobs/"

// uploadConcurrency is how many files are uploaded at once.
const uploadConcurrency = 8

// UploadResult describes an uploaded site.
type UploadResult struct {
	// Address is the s3:// address of the uploaded page or file.
	Address string
	// Files and Bytes are the number of files of the site and their size. Sent and SentBytes count only the uploaded ones.
	Files, Sent      int
	Bytes, SentBytes int64
}

// Upload uploads the folder of a local composition, without hidden files and the files that except names. It sends only
// content that the bucket does not have.
func (s *Stack) Upload(ctx context.Context, c capture.Composition, except ...string) (*UploadResult, error) {
	if ext := strings.ToLower(filepath.Ext(c.Page)); ext != ".html" && ext != ".htm" {
		return nil, fault.Userf("%s cannot be uploaded: the name of a page in S3 must end with .html; rename it", c.Input)
	}
	root, err := os.OpenRoot(c.Folder)
	if err != nil {
		return nil, fault.Userf("opening the composition's folder: %w", err)
	}
	defer root.Close()
	var skipped []fs.FileInfo
	for _, name := range except {
		if info, err := os.Stat(name); err == nil {
			skipped = append(skipped, info)
		}
	}
	manifest, err := readFolder(root, func(info fs.FileInfo) bool {
		for _, s := range skipped {
			if os.SameFile(s, info) {
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

// UploadFile uploads one file, such as a sound, as a site.
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

// upload uploads the files of a manifest. page is the file that the resulting address names.
func (s *Stack) upload(ctx context.Context, root *os.Root, manifest Manifest, page string) (*UploadResult, error) {
	text, digest, err := manifest.encode()
	if err != nil {
		return nil, err
	}
	prefix, key := cloud.SitesPrefix+digest+"/", digest+".json"
	u := &UploadResult{
		Address: s.Bucket.Objects(prefix).URL(page), Files: len(manifest.Files), Bytes: manifest.size(),
	}
	sites := s.Bucket.Objects(cloud.SitesPrefix)
	switch complete, err := sites.Open(ctx, key); {
	case err == nil:
		return u, complete.Close()
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
	err = store.Put(ctx, sites, key, strings.NewReader(string(text)), store.Writer.CommitNew)
	return u, ignoreExists(err)
}

// putFile writes a file to key. sent reports whether the bucket did not have its content.
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

// uploadBlob uploads the content of a file. It fails if the content has changed since the manifest was created.
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
		return fault.Userf("uploading %s: the file changed during the upload; retry when no program writes to it", f.Path)
	}
	return ignoreExists(w.CommitNew())
}

// ignoreExists ignores that an object exists. Objects named after their content are always equal.
func ignoreExists(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
