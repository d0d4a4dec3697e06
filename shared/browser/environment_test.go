package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEnvironmentHasNoSecrets(t *testing.T) {
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "FOO_TOKEN", "GITHUB_TOKEN", "HTTPS_PROXY", "MY_PASSWORD",
	} {
		t.Setenv(name, "s3cret")
	}
	// Version runs Chromium, too. This script records its environment.
	seen := filepath.Join(t.TempDir(), "environment")
	path := script(t, `env > `+seen+`; echo Chromium 1.2.3`)
	if v, err := Version(t.Context(), path); err != nil || v != "1.2.3" {
		t.Errorf("Version() = %q, %v", v, err)
	}
	environment, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	wantNoSecrets(t, "Version", string(environment))

	b := launch(t, Options{Folder: writeFolder(t, map[string]string{
		"index.html": `<script>new Worker("w.js")</script>`, "w.js": "",
	})})
	navigate(t, b, SiteOrigin)
	all := family(t, b.process.PID())
	if len(all) < 5 {
		t.Fatalf("Chromium has %d processes", len(all))
	}
	read := 0
	for _, p := range all {
		if p.group != b.process.PID() {
			t.Errorf("process %d is in the group %d instead of Chromium's: %s", p.pid, p.group, p.command)
		}
		environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(environment), "\x00", "\n")
		wantNoSecrets(t, p.command, text)
		if strings.Contains(text, "HOME="+b.process.profile.Path()) {
			read++
		}
	}
	if read == 0 {
		t.Error("no process has a readable environment")
	}
}

func wantNoSecrets(t *testing.T, process, environment string) {
	t.Helper()
	for line := range strings.Lines(environment) {
		if strings.Contains(line, "AWS_") || strings.Contains(line, "s3cret") {
			t.Errorf("the environment of %.60s contains %s", process, line)
		}
	}
}

// script writes an executable shell script and returns its path.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	return path
}
