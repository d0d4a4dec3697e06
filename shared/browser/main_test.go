package browser

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// ownerVariable is the environment variable that makes this test binary launch a browser and wait to be killed.
const ownerVariable = "HELIOS_TEST_OWNER"

func TestMain(m *testing.M) {
	if os.Getenv(ownerVariable) != "" {
		ownBrowser()
	}
	goleak.VerifyTestMain(m)
}

// needChromium returns the path of Chromium. In short mode it skips the test.
func needChromium(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("launches Chromium")
	}
	path, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// launch launches a browser and closes it at the end of the test.
func launch(t *testing.T, o Options) *Browser {
	t.Helper()
	needChromium(t)
	b, err := Launch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// open opens an empty page.
func open(t *testing.T, b *Browser) *Page {
	t.Helper()
	p, err := b.Open(testContext(t), PageOptions{Width: 160, Height: 90})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// navigate opens an address in a new page.
func navigate(t *testing.T, b *Browser, address string) *Page {
	t.Helper()
	p := open(t, b)
	if err := p.Navigate(testContext(t), address); err != nil {
		t.Fatal(err)
	}
	return p
}

// evaluate returns the value of an expression in the main world.
func evaluate[T any](t *testing.T, p *Page, expression string) (value T) {
	t.Helper()
	if err := p.Evaluate(testContext(t), expression, &value); err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// writeFolder writes files, given by their paths, into a new folder.
func writeFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	return dir
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// testContext returns a context that ends after 30 s.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// eventually fails the test unless a condition becomes true within 20 s.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("timeout: %s", what)
}
