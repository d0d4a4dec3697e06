package mp4

import (
	"encoding/binary"
	"strings"
)

// commentType is the type of the comment box: ©cmt in Mac Roman.
const commentType = "\xa9cmt"

// comment returns the comment tag of a file, as ffmpeg writes it into MP4 and MOV files.
func comment(moov []byte) string {
	udta, ok := find(moov, "udta")
	if !ok {
		return ""
	}
	// MP4: udta/meta/ilst/©cmt/data. meta starts with 4 bytes of version and flags, data with 8 bytes of type and
	// locale.
	if meta, ok := find(udta.body, "meta"); ok && len(meta.body) >= 4 {
		if data, ok := find(meta.body[4:], "ilst", commentType, "data"); ok && len(data.body) >= 8 {
			return string(data.body[8:])
		}
	}
	// MOV: udta/©cmt. The text follows 2 bytes of size and 2 bytes of language.
	if text, ok := find(udta.body, commentType); ok && len(text.body) >= 4 {
		size := int(binary.BigEndian.Uint16(text.body))
		return strings.TrimRight(string(text.body[4:min(4+size, len(text.body))]), "\x00")
	}
	return ""
}

// commentBox returns a udta box with a comment tag in the form that MP4 players and ffmpeg read.
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
