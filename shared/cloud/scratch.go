package cloud

import (
	"os"

	"helios/shared/fault"
	"helios/shared/tempfile"
)

// sweep removes the temporary folders of calls that were killed: a function's /tmp outlives them, and is small.
func sweep() error {
	if err := tempfile.RemoveAbandoned(os.TempDir()); err != nil {
		return fault.Transientf("removing the files of a killed call: %w", err)
	}
	return nil
}
