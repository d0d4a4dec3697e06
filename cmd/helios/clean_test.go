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

// leftover is the name of a file or folder that is there only while something is being rendered.
var leftover = regexp.MustCompile(`\.partial-|^\..*\.(helios|merge)$|^\.helios-`)

// checkClean checks that below a folder no render left anything behind, and that no process of a render that
// ran there is still alive.
func checkClean(dir string) error {
	if alive := waitForNone(dir, 10*time.Second); len(alive) > 0 {
		return fmt.Errorf("still running:\n%s", strings.Join(alive, "\n"))
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && leftover.MatchString(d.Name()) {
			return fmt.Errorf("%s was left behind", path)
		}
		return err
	})
}

// waitForNone waits until no program that Helios starts works in a folder, and returns those that still do
// when the patience is at an end.
func waitForNone(dir string, patience time.Duration) []string {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		alive := programsIn(dir)
		if len(alive) == 0 || time.Now().After(end) {
			return alive
		}
	}
}

// programsIn returns the command lines of the processes of Chromium, ffmpeg and Helios that were started from a folder: their
// working folder, or that of the process they come from, is in it.
func programsIn(dir string) []string {
	dir, _ = filepath.EvalSymlinks(dir)
	var list []string
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range entries {
		// A process that ends meanwhile has none of these.
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

// profilesOf returns the profile folders of the Chromiums that work in a folder.
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
