package job_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"helios/shared/job"
)

func TestCommandSurvivesTheShell(t *testing.T) {
	words := []string{
		"intro.html", "my intro.html", "it's $HOME; rm -rf x.html", "-o.html", "日本語.html", "two\nlines.html", "trailing\n",
		"", "'", `"`, "`id`", `a\b`, `\n`, "%s", "*", "~", "a=b", "!x", "#x", "\t", "[a]{b,c}?", "&&", "|", "\r",
		"\x01", "é\u0301", "😀",
		`{"title":"it's <b>50%</b> & more"}`,
	}
	line := `printf '%s\0' ` + job.Command(words...)
	for _, shell := range []string{"sh", "dash", "bash"} {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip(err)
			}
			out, err := exec.Command(shell, "-c", line).Output()
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
			if !slices.Equal(got, words) {
				t.Errorf("the shell read\n%q, want\n%q", got, words)
			}
		})
	}
}

func TestPathWord(t *testing.T) {
	for path, want := range map[string]string{
		"intro.html": "intro.html", "-o.html": "./-o.html", "-": "./-", "--": "./--", "/-x": "/-x", "a/-x": "a/-x",
	} {
		if got := job.PathWord(path); got != want {
			t.Errorf("PathWord(%q) = %q, want %q", path, got, want)
		}
	}
}
