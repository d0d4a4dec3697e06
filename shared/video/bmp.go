package video

import "encoding/binary"

// bmpHeaderSize is the size of a BMP's file header and of a BITMAPV4HEADER, which supports alpha.
const bmpHeaderSize = 14 + 108

// newBMP returns a BMP file with transparent 32-bit BGRA pixels, top row first: the layout of ffmpeg's rawvideo output.
// Of all formats with alpha, Chromium decodes BMP fastest.
func newBMP(width, height int) []byte {
	b := make([]byte, bmpHeaderSize+4*width*height)
	le := binary.LittleEndian
	copy(b, "BM")
	le.PutUint32(b[2:], uint32(len(b)))
	le.PutUint32(b[10:], bmpHeaderSize)
	le.PutUint32(b[14:], 108)
	le.PutUint32(b[18:], uint32(width))
	le.PutUint32(b[22:], uint32(-int32(height))) // negative: top row first
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
