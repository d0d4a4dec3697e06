package stitch

import (
	"encoding/binary"
	"strings"
)

// commentType is the type of the box that holds a comment: ©cmt, in Mac Roman.
const commentType = "\xa9cmt"

// comment finds the comment of a movie, as ffmpeg writes it into an MP4 or a MOV file.
func comment(moov []byte) string {
	udta, ok := find(moov, "udta")
	if !ok {
		return ""
	}
	// In MP4: udta/meta/ilst/©cmt/data, where meta has 4 bytes of version and flags before its boxes
	// and data has 8 bytes of type and locale before its text.
	if meta, ok := find(udta.body, "meta"); ok && len(meta.body) >= 4 {
		if data, ok := find(meta.body[4:], "ilst", commentType, "data"); ok && len(data.body) >= 8 {
			return string(data.body[8:])
		}
	}
	// In MOV: udta/©cmt with the text after its size and language, 2 bytes each.
	if text, ok := find(udta.body, commentType); ok && len(text.body) >= 4 {
		size := int(binary.BigEndian.Uint16(text.body))
		return strings.TrimRight(string(text.body[4:min(4+size, len(text.body))]), "\x00")
	}
	return ""
}

// commentBox makes the udta box that carries a comment the way that MP4 players and ffmpeg expect.
func commentBox(text string) node {
	const utf8 = 1
	handler := make([]byte, 25)
	copy(handler[8:], "mdirappl")
	data := append([]byte{0, 0, 0, utf8, 0, 0, 0, 0}, text...)
	return container("udta",
		container("meta",
			literal(make([]byte, 4)),
			container("hdlr", literal(handler)),
			container("ilst", container(commentType, container("data", literal(data)))),
		),
	)
}
