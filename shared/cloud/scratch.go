package cloud

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"helios/shared/capture"
	"helios/shared/fault"
)

// workPrefix begins the names of the folders that a call keeps its files in.
const workPrefix = "helios-work-"

// sweep removes what calls left behind that were killed: a function's /tmp outlives them, and is small. Of two
// processes none can be at work there: an environment serves one call at a time.
func sweep() error {
	if os.Getenv("AWS_LAMBDA_FUNCTION_NAME") == "" {
		return nil // the folder of temporary files is not ours alone
	}
	var err error
	for _, pattern := range []string{workPrefix + "*", "helios-profile-*", "helios-survey-*"} {
		left, globErr := filepath.Glob(filepath.Join(os.TempDir(), pattern))
		err = errors.Join(err, globErr)
		for _, path := range left {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	if err != nil {
		return fault.Transientf("removing what a killed call left: %w", err)
	}
	return nil
}

// locate finds a composition, which may need a folder for its files.
func (c *Call) locate(ctx context.Context, input, dir string) (capture.Composition, error) {
	if capture.IsURL(input) {
		return capture.Locate("", input)
	}
	u, err := url.Parse(input)
	if err != nil {
		return capture.Composition{}, err
	}
	b := Bucket{Client: c.Bucket.Client, Name: u.Host}
	key := strings.TrimPrefix(u.Path, "/")
	prefix := key[:strings.LastIndexByte(key, '/')+1]
	list, err := b.List(ctx, prefix)
	if err != nil {
		return capture.Composition{}, err
	}
	for _, o := range list {
		data, err := b.Get(ctx, o.Key)
		if err != nil {
			return capture.Composition{}, err
		}
		file := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(o.Key, prefix)))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, data, 0o600)); err != nil {
			return capture.Composition{}, err
		}
	}
	return capture.Locate(dir, "."+strings.TrimPrefix("/"+key, "/"+prefix[:max(0, len(prefix)-1)]))
}
