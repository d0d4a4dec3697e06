package cloud

import (
	"errors"
	"os"
	"path/filepath"

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
	for _, pattern := range []string{workPrefix + "*", "helios-profile-*", "helios-survey-*", "helios-chunk-*"} {
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
