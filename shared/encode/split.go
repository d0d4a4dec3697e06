package encode

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// maxImage is the maximum size of one image.
const maxImage = 1 << 30

var errNotImage = errors.New("not an image")

// nextPNG reads the next PNG from a stream. A PNG starts with a signature of 8 bytes and ends with an IEND chunk.
func nextPNG(r *bufio.Reader) ([]byte, error) {
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, 8); err != nil {
		return nil, readError(&b, err)
	}
	if !bytes.HasPrefix(b.Bytes(), []byte("\x89PNG\r\n\x1a\n")) {
		return nil, errNotImage
	}
	for {
		head, err := r.Peek(8)
		if err != nil {
			return nil, readError(&b, err)
		}
		size, last := int64(binary.BigEndian.Uint32(head)), string(head[4:]) == "IEND"
		if size+int64(b.Len()) > maxImage {
			return nil, errNotImage
		}
		// The length, the type and the checksum take 12 bytes.
		if _, err := io.CopyN(&b, r, 12+size); err != nil {
			return nil, readError(&b, err)
		}
		if last {
			return b.Bytes(), nil
		}
	}
}

// nextJPEG reads the next JPEG from a stream. A JPEG starts and ends with a marker. In ffmpeg's output, the end marker
// does not occur within an image, because ffmpeg writes no thumbnails, and entropy-coded data cannot contain the
// marker.
func nextJPEG(r *bufio.Reader) ([]byte, error) {
	var b bytes.Buffer
	for {
		part, err := r.ReadSlice(0xd9)
		b.Write(part)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, readError(&b, err)
		}
		if !bytes.HasPrefix(b.Bytes(), []byte{0xff, 0xd8}) || b.Len() > maxImage {
			return nil, errNotImage
		}
		if bytes.HasSuffix(b.Bytes(), []byte{0xff, 0xd9}) {
			return b.Bytes(), nil
		}
	}
}

// readError returns io.ErrUnexpectedEOF if the stream ended within the image in b.
func readError(b *bytes.Buffer, err error) error {
	if errors.Is(err, io.EOF) && b.Len() > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
