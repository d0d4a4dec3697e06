package job

import (
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// Quote quotes a word for POSIX sh. Spaces, quotes, $, newlines and non-ASCII characters are preserved. The word must
// not contain a NUL byte, which no argument can contain.
func Quote(word string) string { return shellescape.Quote(word) }

// Command quotes words and joins them to a command for sh -c.
func Command(words ...string) string { return shellescape.QuoteCommand(words) }

// PathWord returns a path as an argument. It adds the prefix ./ to a path that starts with a dash, which programs would
// parse as a flag.
func PathWord(path string) string {
	if strings.HasPrefix(path, "-") {
		return "./" + path
	}
	return path
}
