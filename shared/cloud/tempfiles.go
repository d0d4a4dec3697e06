package cloud

import (
	"os"

	"helios/shared/fault"
	"helios/shared/tempfile"
)

// removeTempFiles removes the temporary files of killed calls. Lambda keeps /tmp between calls, and it is small.
func removeTempFiles() error {
	if err := tempfile.RemoveAbandoned(os.TempDir()); err != nil {
		return fault.Transientf("removing the temporary files of a killed call: %w", err)
	}
	return nil
}
