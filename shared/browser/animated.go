package browser

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// isAnimated reports whether the first bytes of an image are those of an animated image. It returns true for every GIF.
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

// mayBeAnimated reports whether an image may be animated. It is for images that do not pass through the proxy in plain
// text: those from https, blobs and data URLs. It does not detect an animated PNG from https, because the type of all
// PNGs is image/png.
func mayBeAnimated(address, mimeType string) bool {
	switch scheme, rest, _ := strings.Cut(address, ":"); scheme {
	case "data":
		kind, data, _ := strings.Cut(rest, ",")
		if strings.HasSuffix(kind, ";base64") {
			const head = 4096 // a multiple of 4, the length of a base64 group
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

// imageSniffer is a ResponseWriter that sets animated if the response is an animated image.
type imageSniffer struct {
	http.ResponseWriter
	animated *atomic.Bool
	written  bool
}

func (w *imageSniffer) Write(p []byte) (int, error) {
	if !w.written {
		w.written = true
		if isAnimated(p) {
			w.animated.Store(true)
		}
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] find the methods of the wrapped writer.
func (w *imageSniffer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
