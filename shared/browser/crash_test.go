package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"

	"helios/shared/fault"
)

// never is a promise that does not resolve.
const never = "new Promise(() => {})"

// temporaryFiles returns the temporary files that may be Chromium's.
func temporaryFiles(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"/tmp/*chrom*", "/tmp/.*hrom*", "/dev/shm/.*hrom*", "/dev/shm/*chrom*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

func TestCloseRemovesProcessesAndFiles(t *testing.T) {
	before := temporaryFiles(t)
	b := launch(t, Options{Folder: writeFolder(t, map[string]string{"index.html": `<canvas></canvas><script>
		document.querySelector("canvas").getContext("webgl");
		localStorage.x = 1;
		new Worker(URL.createObjectURL(new Blob([""])));
		</script>`})})
	navigate(t, b, SiteOrigin)
	group, profile := b.process.PID(), b.process.profile.Path()
	all := family(t, group)
	if len(all) < 5 {
		t.Fatalf("Chromium has %d processes", len(all))
	}
	if _, err := os.Stat(profile); err != nil {
		t.Fatal(err)
	}
	b.Close()
	b.Close()
	wantGone(t, group, profile, all)
	eventually(t, "the removal of temporary files", func() bool { // also of those of other tests
		isNew := func(file string) bool { return !slices.Contains(before, file) }
		return !slices.ContainsFunc(temporaryFiles(t), isNew)
	})
}

// wantTransient fails the test unless all calls fail at once with a fault.Transient.
func wantTransient(t *testing.T, b *Browser, p *Page) {
	t.Helper()
	start := time.Now()
	for name, call := range map[string]func() error{
		"Evaluate": func() error { return p.Evaluate(testContext(t), "1", nil) },
		"Navigate": func() error { return p.Navigate(testContext(t), "about:blank") },
		"Isolate":  func() error { _, err := p.IsolatedWorld(testContext(t)); return err },
		"Close":    func() error { return p.Close(testContext(t)) },
		"Open":     func() error { _, err := b.Open(testContext(t), PageOptions{}); return err },
	} {
		if err := call(); fault.Of(err) != fault.Transient {
			t.Errorf("%s returns an error of kind %s: %v", name, fault.Of(err), err)
		}
	}
	select {
	case <-p.Done():
		if err := p.Err(); fault.Of(err) != fault.Transient {
			t.Errorf("Err returns an error of kind %s: %v", fault.Of(err), err)
		}
	default:
		t.Error("the session has not ended")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("the calls took %s", took)
	}
}

func TestKilledProcess(t *testing.T) {
	for name, victim := range map[string]func(p proc, group int) bool{
		"browser": func(p proc, group int) bool {
			return !strings.Contains(p.command, "--type=") && p.pid != group
		},
		"leader":   func(p proc, group int) bool { return p.pid == group }, // on Debian, a shell script
		"all":      func(p proc, group int) bool { return true },
		"renderer": func(p proc, group int) bool { return strings.Contains(p.command, "--type=renderer") },
		"network": func(p proc, group int) bool {
			return strings.Contains(p.command, "network.mojom.NetworkService")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := launch(t, Options{Folder: writeFolder(t, map[string]string{"index.html": "x"})})
			p := navigate(t, b, SiteOrigin)
			waiting := make(chan error, 1)
			go func() { waiting <- p.Evaluate(context.Background(), never, nil) }()
			group, profile := b.process.PID(), b.process.profile.Path()
			all := family(t, group)
			killed := 0
			for _, v := range all {
				if victim(v, group) || len(all) == 1 {
					killed++
					syscall.Kill(v.pid, syscall.SIGKILL)
				}
			}
			if killed == 0 {
				t.Fatalf("no victim among %v", all)
			}
			if name == "network" {
				// Chromium starts another network process.
				eventually(t, "a response after the network process was killed", func() bool {
					return p.Evaluate(testContext(t), "fetch('index.html').then(r => r.text())", nil) == nil
				})
				b.Close()
				<-waiting
				return
			}
			select {
			case err := <-waiting:
				if fault.Of(err) != fault.Transient {
					t.Errorf("the call in progress returns an error of kind %s: %v", fault.Of(err), err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the call in progress does not return")
			}
			if name == "renderer" {
				if err := p.Evaluate(testContext(t), "1", nil); fault.Of(err) != fault.Transient {
					t.Errorf("the next call returns an error of kind %s: %v", fault.Of(err), err)
				}
				// The browser still works.
				if got := evaluate[int](t, navigate(t, b, SiteOrigin), "1+1"); got != 2 {
					t.Errorf("on another page 1+1 = %d", got)
				}
			} else {
				wantTransient(t, b, p)
			}
			b.Close()
			wantGone(t, group, profile, all)
		})
	}
}

func TestCrashedPage(t *testing.T) {
	b := launch(t, Options{})
	p := open(t, b)
	_, err := Call(testContext(t), p.Session, page.Crash, cdp.Empty{})
	if fault.Of(err) != fault.Transient || !strings.Contains(err.Error(), "crashed") {
		t.Errorf("the error is %v", err)
	}
	if err := p.Navigate(testContext(t), "about:blank"); fault.Of(err) != fault.Transient {
		t.Errorf("the next error is %v", err)
	}
}

// A hung Chromium stops reading commands. Calls still end with their context.
func TestHungChromium(t *testing.T) {
	b := launch(t, Options{})
	p := open(t, b)
	all := family(t, b.process.PID())
	for _, p := range all {
		syscall.Kill(p.pid, syscall.SIGSTOP)
	}
	large := `"` + strings.Repeat("x", 1<<20) + `"`
	for range 20 { // more than the queue of commands holds
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		start := time.Now()
		if err := p.Evaluate(ctx, large, nil); err == nil || ctx.Err() == nil {
			t.Errorf("the error is %v", err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("the call took %s", took)
		}
		cancel()
	}
	group, profile := b.process.PID(), b.process.profile.Path()
	start := time.Now()
	b.Close()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Close took %s", took)
	}
	wantGone(t, group, profile, all)
}

func TestCallsDuringClose(t *testing.T) {
	for name, end := range map[string]func(b *Browser){
		"Close":            (*Browser).Close,
		"concurrent Close": func(b *Browser) { var all sync.WaitGroup; all.Go(b.Close); all.Go(b.Close); all.Wait() },
		"a kill":           func(b *Browser) { syscall.Kill(-b.process.PID(), syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := launch(t, Options{Folder: writeFolder(t, map[string]string{"index.html": "x"})})
			var all sync.WaitGroup
			done := make(chan struct{}, 100)
			for i := range 4 {
				p := open(t, b)
				all.Go(func() {
					for n := 0; ; n++ {
						err := p.Navigate(testContext(t), fmt.Sprintf("%s/?%d", SiteOrigin, n))
						if err == nil {
							err = p.Evaluate(testContext(t), "fetch('index.html').then(r => r.text())", nil)
						}
						p.Assets()
						p.Pending()
						if p.Exception() != nil {
							t.Error(p.Exception())
						}
						if err != nil {
							// The error of an interrupted load may be a fault.User.
							if fault.Of(p.Err()) != fault.Transient {
								eventually(t, "the end of the session", func() bool { return p.Err() != nil })
							}
							return
						}
						done <- struct{}{}
					}
				})
				if i == 0 {
					all.Go(func() {
						for {
							q, err := b.Open(testContext(t), PageOptions{})
							if err != nil {
								return
							}
							q.Close(testContext(t))
						}
					})
				}
			}
			go func() {
				all.Wait()
				close(done)
			}()
			for range 8 {
				<-done
			}
			end(b)
			for range done {
			}
			b.Close()
		})
	}
}
