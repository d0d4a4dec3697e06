package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// ownerVariable makes this test binary a program that starts a browser and waits to be killed.
const ownerVariable = "HELIOS_TEST_OWNER"

func TestMain(m *testing.M) {
	if _, err := Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if os.Getenv(ownerVariable) != "" {
		ownBrowser()
	}
	goleak.VerifyTestMain(m)
}

// launch starts a browser that ends with the test.
func launch(t *testing.T, o Options) *Browser {
	t.Helper()
	b, err := Launch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// open makes an empty page.
func open(t *testing.T, b *Browser) *Page {
	t.Helper()
	p, err := b.Open(limit(t), PageOptions{Width: 160, Height: 90})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// navigate opens an address in a new page.
func navigate(t *testing.T, b *Browser, address string) *Page {
	t.Helper()
	p := open(t, b)
	if err := p.Navigate(limit(t), address); err != nil {
		t.Fatal(err)
	}
	return p
}

// evaluate returns the value of an expression in a page.
func evaluate[T any](t *testing.T, p *Page, expression string) (value T) {
	t.Helper()
	if err := p.Evaluate(limit(t), expression, &value); err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// folder makes a composition's folder of files.
func folder(t *testing.T, files map[string]string) string {
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

// limit is the context of a call that must not hang.
func limit(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("it never happened: %s", what)
}
