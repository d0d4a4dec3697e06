package mp4

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"

	"helios/shared/stitch"
)

// kernelBlock is the number of bytes that one call copies. Between calls, the caller can react to a cancelled context.
const kernelBlock = 16 << 20

// kernelCopy copies from one file to the end of another with copy_file_range and returns the number of copied bytes. It
// returns 0 if that fails. The caller then copies through a buffer, which succeeds or returns the error.
//
// io.Copy uses copy_file_range only for an *os.File, not for types that embed one.
func kernelCopy(w io.Writer, r io.ReaderAt, from stitch.Extent) int64 {
	dst, src := rawConn(w), rawConn(r)
	if dst == nil || src == nil {
		return 0
	}
	copied := 0
	_ = src.Control(func(in uintptr) {
		_ = dst.Control(func(out uintptr) {
			n := int(min(from.Size, kernelBlock))
			for {
				var err error
				copied, err = unix.CopyFileRange(int(in), &from.Off, int(out), nil, n, 0)
				if err != unix.EINTR {
					return
				}
			}
		})
	})
	return int64(max(copied, 0))
}

// rawConn returns the file descriptor of a value that is or embeds an open file, or nil.
func rawConn(v any) syscall.RawConn {
	f, ok := v.(syscall.Conn)
	if !ok {
		return nil
	}
	c, err := f.SyscallConn()
	if err != nil {
		return nil
	}
	return c
}
