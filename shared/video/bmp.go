package video

import "encoding/binary"

// headerSize is the length of a BMP's two headers, the second of them the one that tells of alpha.
const headerSize = 14 + 108

// newBMP returns a picture of 32-bit pixels, blue first, from its top to its bottom: what costs Chromium least
// to read and ffmpeg nothing to write.
func newBMP(width, height int) []byte {
	b := make([]byte, headerSize+4*width*height)
	le := binary.LittleEndian
	copy(b, "BM")
	le.PutUint32(b[2:], uint32(len(b)))
	le.PutUint32(b[10:], headerSize)
	le.PutUint32(b[14:], 108)
	le.PutUint32(b[18:], uint32(width))
	le.PutUint32(b[22:], uint32(-int32(height)))
	le.PutUint16(b[26:], 1)
	le.PutUint16(b[28:], 32)
	const bitfields = 3
	le.PutUint32(b[30:], bitfields)
	le.PutUint32(b[34:], uint32(4*width*height))
	le.PutUint32(b[54:], 0x00ff0000)
	le.PutUint32(b[58:], 0x0000ff00)
	le.PutUint32(b[62:], 0x000000ff)
	le.PutUint32(b[66:], 0xff000000)
	copy(b[70:], "BGRs") // sRGB
	return b
}
