package stitch

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// kernelBlock is how much the kernel copies before a cancelled context is noticed.
const kernelBlock = 16 << 20

// kernelCopy has the kernel copy from one file to the end of another, and returns how many bytes it
// copied. That is 0 when it cannot, for whatever reason: copying in another way will then work or tell.
//
// io.Copy does the same, but only from an *os.File itself and not from what embeds one.
func kernelCopy(w io.Writer, r io.ReaderAt, from extent) int64 {
	dst, src := rawConn(w), rawConn(r)
	if dst == nil || src == nil {
		return 0
	}
	copied := 0
	src.Control(func(in uintptr) {
		dst.Control(func(out uintptr) {
			n := int(min(from.size, kernelBlock))
			for {
				var err error
				copied, err = unix.CopyFileRange(int(in), &from.off, int(out), nil, n, 0)
				if err != unix.EINTR {
					return
				}
			}
		})
	})
	return int64(max(copied, 0))
}

// rawConn returns the connection of what is or embeds an open file, or nil.
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
