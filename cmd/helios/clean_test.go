package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// leftover matches the names of files and folders that exist only during a render.
var leftover = regexp.MustCompile(`\.partial-|^\..*\.(helios|merge)$|^\.helios-`)

// checkClean checks that the renders in a folder left no temporary files and no processes.
func checkClean(dir string) error {
	if alive := waitForNone(dir, 10*time.Second); len(alive) > 0 {
		return fmt.Errorf("processes are still running:\n%s", strings.Join(alive, "\n"))
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && leftover.MatchString(d.Name()) {
			return fmt.Errorf("%s remains", path)
		}
		return err
	})
}

// waitForNone waits until no process that a render started runs in a folder. After the timeout it returns the command
// lines of those that still run.
func waitForNone(dir string, timeout time.Duration) []string {
	for end := time.Now().Add(timeout); ; time.Sleep(10 * time.Millisecond) {
		alive := programsIn(dir)
		if len(alive) == 0 || time.Now().After(end) {
			return alive
		}
	}
}

// programsIn returns the command lines of the processes of Chromium, ffmpeg and Helios that were started in a folder.
// Their working directory, or the value of one of their environment variables, is inside it.
func programsIn(dir string) []string {
	dir, _ = filepath.EvalSymlinks(dir)
	var list []string
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range entries {
		// All three are empty if the process has ended.
		cwd, _ := os.Readlink(process + "/cwd")
		env, _ := os.ReadFile(process + "/environ")
		line, _ := os.ReadFile(process + "/cmdline")
		if cwd != dir && !strings.HasPrefix(cwd, dir+"/") && !strings.Contains(string(env), "="+dir+"/") {
			continue
		}
		if text := strings.ReplaceAll(string(line), "\x00", " "); program.MatchString(text) {
			list = append(list, filepath.Base(process)+" "+text)
		}
	}
	return list
}

var program = regexp.MustCompile(`^\S*(chrom|headless|ffmpeg|helios)`)

// profilesOf returns the profile folders of the Chromium processes that run in a folder.
func profilesOf(dir string) (profiles []string) {
	for _, line := range programsIn(dir) {
		for word := range strings.FieldsSeq(line) {
			if profile, ok := strings.CutPrefix(word, "--user-data-dir="); ok {
				profiles = append(profiles, profile)
			}
		}
	}
	return profiles
}
