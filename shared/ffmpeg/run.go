package ffmpeg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"helios/shared/fault"
	"helios/shared/process"
)

// QuietArgs are the arguments with which ffmpeg asks nothing and says nothing but what went wrong.
var QuietArgs = []string{"-hide_banner", "-loglevel", "repeat+error", "-nostdin"}

// Command returns ffmpeg with the arguments, after those of [QuietArgs]. The error is that of [Find].
func Command(args ...string) (*exec.Cmd, error) {
	path, err := Find()
	if err != nil {
		return nil, err
	}
	return exec.Command(path, append(append([]string{}, QuietArgs...), args...)...), nil
}

// Run runs ffmpeg or ffprobe to its end and kills it when ctx ends. The error is the cause of ctx's end, a
// fault.Transient when somebody else killed the program, or else its last words.
func Run(ctx context.Context, cmd *exec.Cmd) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p, err := process.Start(cmd)
	if err != nil {
		return fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	stop := context.AfterFunc(ctx, p.Kill)
	err = p.Wait()
	switch {
	case err == nil:
		stop()
		return nil
	case !stop():
		return context.Cause(ctx)
	case p.Killed():
		return fault.Transientf("ffmpeg was killed")
	case p.LastLine() != "":
		return fmt.Errorf("ffmpeg: %s", Message(p.LastLine()))
	}
	return fmt.Errorf("ffmpeg: %w", err)
}

// Message returns a line of ffmpeg's without what only ffmpeg understands.
func Message(line string) string { return strings.TrimPrefix(line, "file:") }

// WriteError says why nothing more can be written to a file that is of no use any more, as a fault.User, and
// returns nil where it could be: the disk says so more plainly than ffmpeg, and it is the user who can mend it.
func WriteError(file string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.Write(make([]byte, 64<<10))
		f.Close()
	}
	if path := new(fs.PathError); errors.As(err, &path) {
		err = path.Err
	}
	if err != nil {
		return fault.Userf("writing to %s: %w", filepath.Dir(file), err)
	}
	return nil
}
