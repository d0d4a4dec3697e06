package ffmpeg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"helios/shared/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFind(t *testing.T) {
	path, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	version, err := Version(t.Context(), path)
	if err != nil || version == "" || version[0] < '0' || version[0] > '9' {
		t.Errorf("Version() = %q, %v", version, err)
	}

	fake := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\necho hello\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Version(t.Context(), fake); err == nil || !strings.Contains(err.Error(), `output "hello\n"`) {
		t.Errorf("with another program the error is %v", err)
	}
	t.Setenv(PathVariable, fake)
	if found, err := Find(); err != nil || found != fake {
		t.Errorf("Find() = %q, %v; want %q", found, err, fake)
	}
	t.Setenv(PathVariable, fake+"-gone")
	if _, err := Find(); fault.Of(err) != fault.User || !strings.Contains(err.Error(), PathVariable) {
		t.Errorf("if %s is wrong the error is %v", PathVariable, err)
	}
	t.Setenv(PathVariable, "")
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(); fault.Of(err) != fault.User || !strings.Contains(err.Error(), InstallHint) {
		t.Errorf("with an empty PATH the error is %v", err)
	}
}
