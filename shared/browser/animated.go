package browser

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// isAnimated reports whether an image that begins like this may be animated. Of GIF it takes every one for animated.
func isAnimated(head []byte) bool {
	at := func(offset int, text string) bool {
		return len(head) > offset && bytes.HasPrefix(head[offset:], []byte(text))
	}
	switch {
	case at(0, "GIF8"):
		return true
	case at(0, "RIFF") && at(8, "WEBPVP8X"):
		return len(head) > 20 && head[20]&2 != 0
	case at(4, "ftyp"):
		return at(8, "avis")
	case at(0, "\x89PNG\r\n\x1a\n"):
		chunks, _, _ := bytes.Cut(head, []byte("IDAT"))
		return bytes.Contains(chunks, []byte("acTL"))
	}
	return false
}

// mayBeAnimated reports whether an image may be animated of which the proxy did not see the bytes: one from https, a blob or
// a data URL. An animated PNG from https passes for any other.
func mayBeAnimated(address, mimeType string) bool {
	switch scheme, rest, _ := strings.Cut(address, ":"); scheme {
	case "data":
		kind, data, _ := strings.Cut(rest, ",")
		if strings.HasSuffix(kind, ";base64") {
			const head = 4096 // divisible by 4, as base64 is
			decoded, _ := base64.StdEncoding.DecodeString(data[:min(len(data), head)&^3])
			return isAnimated(decoded)
		}
		decoded, _ := url.PathUnescape(data)
		return isAnimated([]byte(decoded))
	case "http":
		return false
	}
	switch mimeType {
	case "image/gif", "image/webp", "image/avif", "image/apng":
		return true
	}
	return false
}

// imageWatcher notices an animated image in a response.
type imageWatcher struct {
	http.ResponseWriter
	animated *atomic.Bool
	written  bool
}

func (w *imageWatcher) Write(p []byte) (int, error) {
	if !w.written {
		w.written = true
		if isAnimated(p) {
			w.animated.Store(true)
		}
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets an http.ResponseController reach the response itself.
func (w *imageWatcher) Unwrap() http.ResponseWriter { return w.ResponseWriter }
