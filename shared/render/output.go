package render

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/store"
	"helios/shared/tempfile"
)

// CheckOutput returns a user error if the output cannot be written. It creates the folder of the output.
func CheckOutput(output string, overwrite bool) error {
	if strings.HasSuffix(output, "/") {
		return encode.CheckFolder(output, overwrite)
	}
	info, err := os.Stat(output)
	switch {
	case err == nil && info.IsDir():
		return fault.Userf("%s is a folder; name a file", output)
	case err == nil && !overwrite:
		return existsError(output)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fault.Userf("writing %s: %w", output, err)
	}
	dir := filepath.Dir(output)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fault.Userf("writing %s: %w", output, err)
	}
	probe, err := tempfile.Unnamed(dir)
	if err != nil {
		return fault.Userf("writing %s: %w", output, errors.Unwrap(err))
	}
	return probe.Close()
}

func commit(w store.Writer, to store.Store, output string, overwrite bool) error {
	if err := commitFunc(overwrite)(w); err != nil {
		return writeError(to, output, err)
	}
	return nil
}

// commitFunc returns the commit that replaces an existing object, or the one that fails if there is one.
func commitFunc(overwrite bool) func(store.Writer) error {
	if overwrite {
		return store.Writer.Commit
	}
	return store.Writer.CommitNew
}

// writeError describes why an output cannot be written. On a disk that is a user error; a bucket classifies its errors
// itself.
func writeError(to store.Store, output string, err error) error {
	_, disk := to.(store.Dir)
	switch {
	case errors.Is(err, fs.ErrExist):
		return existsError(output)
	case disk:
		return fault.Userf("writing %s: %w", output, err)
	}
	return err
}

func existsError(output string) error {
	return fault.Userf("%s exists; use --overwrite to replace it, or another name", output)
}
