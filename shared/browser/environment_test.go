package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNoSecretsInTheEnvironment(t *testing.T) {
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"FOO_TOKEN", "GITHUB_TOKEN", "HTTPS_PROXY", "MY_PASSWORD",
	} {
		t.Setenv(name, "s3cret")
	}
	// The program that is asked for its version is the same one; a script shows what it is given.
	seen := filepath.Join(t.TempDir(), "environment")
	path := script(t, `env > `+seen+`; echo Chromium 1.2.3`)
	if v, err := Version(t.Context(), path); err != nil || v != "1.2.3" {
		t.Errorf("Version() = %q, %v", v, err)
	}
	environment, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	wantNoSecrets(t, "what is asked for its version", string(environment))

	b := launch(t, Options{Folder: folder(t, map[string]string{"index.html": `<script>new Worker("w.js")</script>`, "w.js": ""})})
	navigate(t, b, SiteOrigin)
	all := family(t, b.process.PID())
	if len(all) < 5 {
		t.Fatalf("Chromium has %d processes", len(all))
	}
	whole := 0
	for _, p := range all {
		if p.group != b.process.PID() {
			t.Errorf("%d is not in Chromium's process group, but in %d: %s", p.pid, p.group, p.command)
		}
		environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(environment), "\x00", "\n")
		wantNoSecrets(t, p.command, text)
		if strings.Contains(text, "HOME="+b.process.profile.Path()) {
			whole++
		}
	}
	if whole == 0 {
		t.Error("no environment could be read")
	}
}

func wantNoSecrets(t *testing.T, who, environment string) {
	t.Helper()
	for line := range strings.Lines(environment) {
		if strings.Contains(line, "AWS_") || strings.Contains(line, "s3cret") {
			t.Errorf("%.60s sees %s", who, line)
		}
	}
}

// script makes a program that can be started in Chromium's place.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	return path
}
