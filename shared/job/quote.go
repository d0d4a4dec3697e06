package job

import (
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// Quote returns a word as any POSIX sh reads it back: spaces, quotes, $, newlines and non-ASCII
// characters survive. The word must not contain a NUL byte: no argument of a command can.
func Quote(word string) string { return shellescape.Quote(word) }

// Command quotes words and joins them to a line for sh -c.
func Command(words ...string) string { return shellescape.QuoteCommand(words) }

// PathWord returns a path as a word of a command line: a relative path that begins with a dash gets a
// leading ./ so that no program takes it for a flag.
func PathWord(path string) string {
	if strings.HasPrefix(path, "-") {
		return "./" + path
	}
	return path
}
