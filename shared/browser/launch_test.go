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

// shadow returns a program that stands in for Chromium and notes its process id and its profile before it
// does what text says, and a function that reads them.
func shadow(t *testing.T, text string) (path string, noted func() (group int, profile string)) {
	t.Helper()
	note := filepath.Join(t.TempDir(), "note")
	path = script(t, `echo "$$ $*" > `+note+`.new; mv `+note+`.new `+note+`; `+text)
	return path, func() (group int, profile string) {
		t.Helper()
		var text []byte
		eventually(t, "the start of the program", func() bool {
			text, _ = os.ReadFile(note)
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

func TestChromiumThatDoesNotStart(t *testing.T) {
	for _, test := range []struct {
		name, script string
		kind         fault.Kind
		want         []string
	}{
		{"it ends without a word", "exit 1", fault.Transient, []string{"starting ", "chromium went away"}},
		{"it says why", "echo 'error while loading shared libraries: libnss3.so' >&2; exit 127", fault.Internal, []string{"starting ", "libnss3.so"}},
		{"its log says why", "echo '[1122/2318.02:FATAL:a.cc(1)] no such display' >&2; exit 1", fault.Internal, []string{": no such display"}},
		{"it is killed", "echo starting; kill -9 $$", fault.Transient, []string{"chromium went away", "starting"}},
		{"it crashes behind Debian's script", "echo starting; sh -c 'kill -6 $$' || exit $?", fault.Transient, []string{"chromium went away"}},
		{"it takes its time to end", "exec 3<&- 4>&-; echo 'reason' >&2; sleep 0.3; exit 1", fault.Internal, []string{": reason"}},
		// As Chromium 156 says it to a user other than root where user namespaces are forbidden.
		{"it has no sandbox", "echo '[1122/231831.020794:ERROR:content/browser/zygote_host/zygote_host_impl_linux.cc:130] No usable sandbox! If this is a Debian system, please install the chromium-sandbox package to solve this problem.' >&2; exit 1",
			fault.User, []string{"sandbox", "user namespaces", "chromium-sandbox", NoSandboxVariable + "=1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, noted := shadow(t, test.script)
			start := time.Now()
			_, err := Launch(limit(t), Options{Path: path})
			if err == nil {
				t.Fatal("it was launched")
			}
			if fault.Of(err) != test.kind {
				t.Errorf("the error is of kind %s: %v", fault.Of(err), err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			group, profile := noted()
			wantGone(t, group, profile, nil)
		})
	}
}

func TestChromiumThatDoesNotAnswer(t *testing.T) {
	for name, text := range map[string]string{
		"it reads nothing":            "sleep 1000 & sleep 1000",
		"it reads and does not write": "cat <&3 >/dev/null",
	} {
		t.Run(name, func(t *testing.T) {
			path, noted := shadow(t, text)
			late := errors.New("too late")
			ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, late)
			defer cancel()
			start := time.Now()
			if _, err := Launch(ctx, Options{Path: path}); !errors.Is(err, late) {
				t.Errorf("the error is %v", err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			group, profile := noted()
			wantGone(t, group, profile, nil)
		})
	}
}

// The real one, given up at several points of its start.
func TestCancelDuringLaunch(t *testing.T) {
	chromium, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond} {
		path, noted := shadow(t, `exec `+chromium+` "$@"`)
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			b, err := Launch(ctx, Options{Path: path})
			if err == nil { // it was faster
				b.Close()
			}
			failed <- err
		}()
		group, profile := noted()
		time.Sleep(wait)
		before := family(t, group)
		cancel()
		if err := <-failed; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		wantGone(t, group, profile, before)
	}
}

func TestLaunchOfWhatIsNotThere(t *testing.T) {
	if _, err := Launch(t.Context(), Options{Path: "/nowhere/chromium"}); err == nil || !strings.Contains(err.Error(), "starting /nowhere/chromium") {
		t.Errorf("the error is %v", err)
	}
	if _, err := Launch(t.Context(), Options{Folder: "/nowhere"}); fault.Of(err) != fault.User || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("the error is %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Launch(cancelled, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestFind(t *testing.T) {
	t.Setenv(PathVariable, "/nowhere/chromium")
	if _, err := Find(); fault.Of(err) != fault.User || !strings.Contains(err.Error(), PathVariable) || !strings.Contains(err.Error(), "/nowhere/chromium") {
		t.Errorf("the error is %v", err)
	}
	path := script(t, "")
	t.Setenv(PathVariable, path)
	if got, err := Find(); got != path || err != nil {
		t.Errorf("Find() = %q, %v", got, err)
	}
	t.Setenv(PathVariable, "")
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(); fault.Of(err) != fault.User || !strings.Contains(err.Error(), InstallHint) {
		t.Errorf("the error is %v", err)
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
		t.Errorf("the running one says %q, not %q", b.Version(), version)
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
