package process

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestLastLine(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"no output", "true", ""},
		{"one line", "echo one", "one"},
		{"standard error", "echo one; echo two >&2", "two"},
		{"no newline at the end", "printf 'one\ntwo'", "two"},
		{"empty lines at the end", "printf ' one \n\n \n'", "one"},
		{"more than the tail", "seq 1 5000; echo end", "end"},
		{"before a crash", "echo reason; kill -9 $$", "reason"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := Start(exec.Command("sh", "-c", test.script))
			if err != nil {
				t.Fatal(err)
			}
			p.Wait()
			if got := p.LastLine(); got != test.want {
				t.Errorf("LastLine() = %q, want %q", got, test.want)
			}
			if n := len(p.output.buf); n > tailSize {
				t.Errorf("the tail has %d bytes", n)
			}
		})
	}
}

func TestStdout(t *testing.T) {
	var out bytes.Buffer
	cmd := exec.Command("sh", "-c", "echo out; echo err >&2; exit 3")
	cmd.Stdout = &out
	p, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err == nil || err.Error() != "exit status 3" {
		t.Errorf("Wait() = %v", err)
	}
	if out.String() != "out\n" || p.LastLine() != "err" {
		t.Errorf("the output is %q, and LastLine() = %q", out.String(), p.LastLine())
	}
}

func TestEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_SECRET_ACCESS_KEY": "s3cret", "AWS_SESSION_TOKEN": "s3cret", "FOO_TOKEN": "s3cret", "HOMELY": "s3cret",
		"LD_PRELOAD": "", "LANG": "de_DE.UTF-8", "TZ": "Asia/Tokyo", "HOME": "/home/user", "FONTCONFIG_FILE": "/fonts.conf",
	} {
		t.Setenv(name, value)
	}
	var out bytes.Buffer
	cmd := exec.Command("env")
	cmd.Stdout = &out
	cmd.Env = []string{"HOME=/elsewhere", "OURS=1"}
	p, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	if strings.Contains(got, "s3cret") || strings.Contains(got, "LD_PRELOAD") {
		t.Errorf("the environment contains variables that are not inherited:\n%s", got)
	}
	for _, want := range []string{
		"LANG=C.UTF-8", "TZ=UTC", "HOME=/elsewhere", "OURS=1", "FONTCONFIG_FILE=/fonts.conf", "PATH=",
	} {
		if !strings.Contains("\n"+got, "\n"+want) {
			t.Errorf("the environment does not contain %s:\n%s", want, got)
		}
	}
}
