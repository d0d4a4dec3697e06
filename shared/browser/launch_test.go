package browser

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"helios/shared/fault"
)

// fakeChromium returns the path of a program that records its process ID and profile, and then runs a shell script.
// recorded waits for the record and returns it.
func fakeChromium(t *testing.T, text string) (path string, recorded func() (group int, profile string)) {
	t.Helper()
	record := filepath.Join(t.TempDir(), "record")
	path = script(t, `echo "$$ $*" > `+record+`.new; mv `+record+`.new `+record+`; `+text)
	return path, func() (group int, profile string) {
		t.Helper()
		var text []byte
		eventually(t, "the start of the program", func() bool {
			text, _ = os.ReadFile(record)
			return len(text) > 0
		})
		for i, word := range strings.Fields(string(text)) {
			if i == 0 {
				group, _ = strconv.Atoi(word)
			} else if dir, ok := strings.CutPrefix(word, "--user-data-dir="); ok {
				profile = dir
			}
		}
		return group, profile
	}
}

func TestLaunchError(t *testing.T) {
	// Chromium 156 logs this where user namespaces are disabled and the user is not root.
	const noSandbox = "[1122/231831.020794:ERROR:content/browser/zygote_host/zygote_host_impl_linux.cc:130] " +
		"No usable sandbox! If this is a Debian system, please install the chromium-sandbox package to solve this problem."
	for _, test := range []struct {
		name, script string
		kind         fault.Kind
		want         []string
	}{
		{"no output", "exit 1", fault.Transient, []string{"starting ", "chromium exited"}},
		{"missing library", "echo 'error while loading shared libraries: libnss3.so' >&2; exit 127",
			fault.Internal, []string{"starting ", "libnss3.so"}},
		{"log line", "echo '[1122/2318.02:FATAL:a.cc(1)] no such display' >&2; exit 1",
			fault.Internal, []string{": no such display"}},
		{"killed", "echo starting; kill -9 $$", fault.Transient, []string{"chromium exited", "starting"}},
		{"crash in a shell script", "echo starting; sh -c 'kill -6 $$' || exit $?",
			fault.Transient, []string{"chromium exited"}},
		{"slow exit", "exec 3<&- 4>&-; echo 'reason' >&2; sleep 0.3; exit 1", fault.Internal, []string{": reason"}},
		{"no sandbox", "echo '" + noSandbox + "' >&2; exit 1",
			fault.User, []string{"sandbox", "user namespaces", "chromium-sandbox", NoSandboxVariable + "=1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, recorded := fakeChromium(t, test.script)
			start := time.Now()
			_, err := Launch(testContext(t), Options{Path: path})
			if err == nil {
				t.Fatal("Launch returned no error")
			}
			if fault.Of(err) != test.kind {
				t.Errorf("the error is of kind %s: %v", fault.Of(err), err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not contain %q: %v", want, err)
				}
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("Launch took %s", took)
			}
			group, profile := recorded()
			wantGone(t, group, profile, nil)
		})
	}
}

func TestLaunchTimeout(t *testing.T) {
	for name, text := range map[string]string{
		"no reads":  "sleep 1000 & sleep 1000",
		"no writes": "cat <&3 >/dev/null",
	} {
		t.Run(name, func(t *testing.T) {
			path, recorded := fakeChromium(t, text)
			timeout := errors.New("timeout")
			ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, timeout)
			defer cancel()
			start := time.Now()
			if _, err := Launch(ctx, Options{Path: path}); !errors.Is(err, timeout) {
				t.Errorf("the error is %v", err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("Launch took %s", took)
			}
			group, profile := recorded()
			wantGone(t, group, profile, nil)
		})
	}
}

func TestCancelledLaunch(t *testing.T) {
	chromium := needChromium(t)
	for _, wait := range []time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond} {
		path, recorded := fakeChromium(t, `exec `+chromium+` "$@"`)
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			b, err := Launch(ctx, Options{Path: path})
			if err == nil { // Launch returned before the cancellation
				b.Close()
			}
			failed <- err
		}()
		group, profile := recorded()
		time.Sleep(wait)
		before := family(t, group)
		cancel()
		if err := <-failed; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		wantGone(t, group, profile, before)
	}
}

func TestLaunchWithInvalidOptions(t *testing.T) {
	_, err := Launch(t.Context(), Options{Path: "/nowhere/chromium"})
	if err == nil || !strings.Contains(err.Error(), "starting /nowhere/chromium") {
		t.Errorf("without an executable the error is %v", err)
	}
	_, err = Launch(t.Context(), Options{Folder: "/nowhere"})
	if fault.Of(err) != fault.User || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("without a folder the error is %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Launch(cancelled, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context the error is %v", err)
	}
}

func TestFind(t *testing.T) {
	t.Setenv(PathVariable, "/nowhere/chromium")
	_, err := Find()
	if fault.Of(err) != fault.User || !strings.Contains(err.Error(), PathVariable) ||
		!strings.Contains(err.Error(), "/nowhere/chromium") {
		t.Errorf("if %s is wrong the error is %v", PathVariable, err)
	}
	path := script(t, "")
	t.Setenv(PathVariable, path)
	if got, err := Find(); got != path || err != nil {
		t.Errorf("Find() = %q, %v", got, err)
	}
	t.Setenv(PathVariable, "")
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(); fault.Of(err) != fault.User || !strings.Contains(err.Error(), InstallHint) {
		t.Errorf("with an empty PATH the error is %v", err)
	}
}

func TestVersion(t *testing.T) {
	path, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	version, err := Version(t.Context(), path)
	if err != nil || strings.Count(version, ".") != 3 {
		t.Errorf("Version() = %q, %v", version, err)
	}
	if b := launch(t, Options{}); !strings.HasSuffix(b.Version(), "/"+version) {
		t.Errorf("Browser.Version() = %q, Version() = %q", b.Version(), version)
	}
	if _, err := Version(t.Context(), script(t, "echo hello")); err == nil || !strings.Contains(err.Error(), `"hello"`) {
		t.Errorf("the error is %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Version(ctx, script(t, "sleep 1000")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}
