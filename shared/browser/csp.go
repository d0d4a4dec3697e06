package browser

import (
	"slices"
	"strings"
)

// allowInCSP returns a Content-Security-Policy header that also allows the worker at the URL source. A header contains
// one or more policies.
func (w *Worker) allowInCSP(header, source string) string {
	policies := strings.Split(header, ",")
	for i, policy := range policies {
		d := parseCSP(policy)
		d.allowWorker(source)
		d.allowTrustedTypes(w.TrustedTypes)
		d.allowSameOrigin()
		policies[i] = d.String()
	}
	return strings.Join(policies, ", ")
}

// directives is a parsed Content Security Policy. Each directive is a list: its name and its values.
type directives [][]string

func parseCSP(policy string) (d directives) {
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(directive)
		if len(words) == 0 {
			continue
		}
		words[0] = strings.ToLower(words[0])
		if d.find(words[0]) == nil { // browsers ignore duplicates
			d = append(d, words)
		}
	}
	return d
}

func (d directives) String() string {
	list := make([]string, len(d))
	for i, words := range d {
		list[i] = strings.Join(words, " ")
	}
	return strings.Join(list, "; ")
}

func (d directives) find(name string) *[]string {
	for i := range d {
		if d[i][0] == name {
			return &d[i]
		}
	}
	return nil
}

// allowWorker adds a source to worker-src. If the policy has no worker-src, allowWorker first copies the directive that
// Chromium would use in its place.
func (d *directives) allowWorker(source string) {
	for _, name := range []string{"worker-src", "child-src", "script-src", "default-src"} {
		words := d.find(name)
		if words == nil {
			continue
		}
		if name != "worker-src" {
			if slices.Contains(*words, "'strict-dynamic'") && name != "child-src" {
				return // 'strict-dynamic' allows every worker
			}
			*d = append(*d, append([]string{"worker-src"}, (*words)[1:]...))
			words = d.find("worker-src")
		}
		addValue(words, source)
		return
	}
}

// allowTrustedTypes allows the Trusted Types policy with a name.
func (d directives) allowTrustedTypes(name string) {
	if words := d.find("trusted-types"); words != nil {
		addValue(words, name)
	}
}

// allowSameOrigin lets a sandboxed page keep its origin, which workers and OPFS require.
func (d directives) allowSameOrigin() {
	if words := d.find("sandbox"); words != nil && !slices.Contains(*words, "allow-same-origin") {
		*words = append(*words, "allow-same-origin")
	}
}

// addValue adds a value to a directive and removes 'none', which is valid only alone.
func addValue(words *[]string, value string) {
	isNone := func(w string) bool { return strings.EqualFold(w, "'none'") }
	*words = append(slices.DeleteFunc(*words, isNone), value)
}
