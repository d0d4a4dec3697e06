package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestChromiumSendsNoOtherRequests(t *testing.T) {
	t.Parallel()
	requests := make(chan string, 1000)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Method + " " + r.RequestURI
		fmt.Fprint(w, "<!doctype html><title>x</title>")
	}))
	defer proxy.Close()
	path := needChromium(t)
	b := &Browser{}
	t.Cleanup(b.Close)
	var err error
	if b.proxy, err = startProxy(nil, ""); err != nil { // required by Open, but Chromium does not use it
		t.Fatal(err)
	}
	if b.process, err = startChromium(path, proxy.URL, 1); err != nil {
		t.Fatal(err)
	}
	if err := b.connect(testContext(t), path); err != nil {
		t.Fatal(err)
	}
	navigate(t, b, SiteOrigin+"/only")

	// All open sockets of Chromium must be connections to the proxy.
	allowed := regexp.MustCompile(`^\s*\d+: \S+ ` + procAddress(t, proxy.Listener.Addr().String()) + " ")
	seen := false
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		for _, line := range sockets(t, b.process.PID()) {
			if allowed.MatchString(line) {
				seen = true
			} else {
				t.Fatalf("Chromium has a socket that bypasses the proxy: %s", line)
			}
		}
	}
	if !seen {
		t.Error("Chromium has no connection to the proxy")
	}
	close(requests)
	for r := range requests {
		if r != "GET "+SiteOrigin+"/only" {
			t.Errorf("Chromium sent %s", r)
		}
	}
}

// procAddress returns an IPv4 address and port in the format of /proc/net/tcp on little-endian machines.
func procAddress(t *testing.T, address string) string {
	t.Helper()
	var a, b, c, d, port int
	if _, err := fmt.Sscanf(address, "%d.%d.%d.%d:%d", &a, &b, &c, &d, &port); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%02X%02X%02X%02X:%04X", d, c, b, a, port)
}

// sockets returns the lines in /proc/net for the sockets of a process and its descendants.
func sockets(t *testing.T, pid int) (lines []string) {
	t.Helper()
	inodes := map[string]bool{}
	for _, p := range family(t, pid) {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.pid))
		for _, file := range files {
			if target, _ := os.Readlink(file); strings.HasPrefix(target, "socket:[") {
				inodes[strings.Trim(target, "socket:[]")] = true
			}
		}
	}
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6"} {
		text, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			continue // the kernel does not support the protocol
		}
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > 9 && inodes[fields[9]] {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}
