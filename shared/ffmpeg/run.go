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

// QuietArgs are ffmpeg's arguments for no interaction and no output except errors.
var QuietArgs = []string{"-hide_banner", "-loglevel", "repeat+error", "-nostdin"}

// Command returns a command that runs ffmpeg with [QuietArgs] and args. The error is that of [Find].
func Command(args ...string) (*exec.Cmd, error) {
	path, err := Find()
	if err != nil {
		return nil, err
	}
	return exec.Command(path, append(append([]string{}, QuietArgs...), args...)...), nil
}

// Run runs ffmpeg or ffprobe and waits until it ends. If ctx ends first, Run kills it and returns the cause of ctx. If
// it was killed for another reason, the error is a fault.Transient. Otherwise the error contains the last line of the
// output.
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

// Message returns an error message of ffmpeg without the prefix "file:" of the path.
func Message(line string) string { return strings.TrimPrefix(line, "file:") }

// WriteError reports why ffmpeg could not write an output, such as a full disk. It tries to append to the file and
// returns the resulting error as a fault.User, or nil if it succeeds.
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
