package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestEnvironmentIsDocumented compares the names of the variables in the code with those in docs/environment.md.
func TestEnvironmentIsDocumented(t *testing.T) {
	const root = "../.."
	pattern := regexp.MustCompile(`\bHELIOS_[A-Z_]*[A-Z]\b`)
	read := func(path string) []string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return pattern.FindAllString(string(text), -1)
	}

	used := map[string]string{} // variable to file
	if err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if name == "node_modules" || name == "out" || len(name) > 2 && name[0] == '.' {
				return fs.SkipDir
			}
			return nil
		}
		if slices.Contains([]string{".go", ".sh", ".yaml", ".txtar"}, filepath.Ext(name)) ||
			name == "Makefile" || name == "Dockerfile" {
			for _, variable := range read(path) {
				used[variable] = path
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(used) == 0 {
		t.Fatal("the code contains no variables")
	}

	documented := map[string]bool{}
	for _, variable := range read(filepath.Join(root, "docs/environment.md")) {
		documented[variable] = true
		if used[variable] == "" {
			t.Errorf("docs/environment.md contains %s, but the code does not", variable)
		}
	}
	for variable, path := range used {
		if !documented[variable] {
			t.Errorf("%s uses %s, but docs/environment.md does not contain it", path, variable)
		}
	}
}
