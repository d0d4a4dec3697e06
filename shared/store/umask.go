package store

import (
	"io/fs"
	"sync"
	"syscall"
)

// umask is the process's file mode creation mask. The system tells it only while setting it, so it
// is asked once.
var umask = sync.OnceValue(func() fs.FileMode {
	old := syscall.Umask(0o022)
	syscall.Umask(old)
	return fs.FileMode(old)
})
