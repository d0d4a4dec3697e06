//go:build !linux

package stitch

import "io"

// kernelCopy copies nothing: there is no call for it here.
func kernelCopy(io.Writer, io.ReaderAt, extent) int64 { return 0 }
