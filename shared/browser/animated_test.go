package browser

import "testing"

func TestIsAnimated(t *testing.T) {
	for head, want := range map[string]bool{
		"GIF89a": true,
		"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02": true,
		"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10": false,
		"RIFF\x00\x00\x00\x00WEBPVP8\x20":                  false,
		"\x00\x00\x00\x20ftypavis":                         true,
		"\x00\x00\x00\x20ftypavif":                         false,
		"\x89PNG\r\n\x1a\n....IHDR....acTL....IDAT":        true,
		"\x89PNG\r\n\x1a\n....IHDR....IDATacTL":            false,
		"\xff\xd8\xff":                                     false,
		"":                                                 false,
	} {
		if isAnimated([]byte(head)) != want {
			t.Errorf("isAnimated(%q) = %t", head, !want)
		}
	}
	for address, want := range map[string]bool{
		"data:image/gif;base64,R0lGODlh":         true,
		"data:image/png;base64,iVBORw0KGgo=":     false,
		"data:image/svg+xml,%3Csvg%20/%3E":       false,
		"https://example.com/a":                  true,
		"blob:http://helios.localhost/0f1e-2d3c": true,
		"http://example.com/a.webp":              false,
	} {
		if mayBeAnimated(address, "image/webp") != want {
			t.Errorf("mayBeAnimated(%q) = %t", address, !want)
		}
	}
}
