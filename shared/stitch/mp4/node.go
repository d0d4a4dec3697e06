package mp4

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	mp4ff "github.com/Eyevinn/mp4ff/mp4"
)

// node is a part of the output before the samples: a box, or bytes inside one. Its size is known before its content is
// generated. So large tables can be streamed.
type node struct {
	size  int64
	write func(io.Writer) error
}

// sequence returns nodes one after the other.
func sequence(parts ...node) node {
	var n node
	for _, p := range parts {
		n.size += p.size
	}
	n.write = func(w io.Writer) error {
		for _, p := range parts {
			if err := p.write(w); err != nil {
				return err
			}
		}
		return nil
	}
	return n
}

// container returns a box that contains other nodes.
func container(name string, parts ...node) node {
	body := sequence(parts...)
	header := binary.BigEndian.AppendUint32(nil, uint32(8+body.size))
	return sequence(literal(append(header, name...)), body)
}

// literal returns a node of bytes.
func literal(b []byte) node {
	return node{int64(len(b)), func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}}
}

// encoded returns a small box of a type that the library knows.
func encoded(b mp4ff.Box) (node, error) {
	var buf bytes.Buffer
	if err := b.Encode(&buf); err != nil {
		return node{}, fmt.Errorf("encoding %s: %w", b.Type(), err)
	}
	return literal(buf.Bytes()), nil
}

// table returns a full box of version 0 that contains numbers, followed by streamed entries.
func table(name string, numbers []uint32, entries ...node) node {
	start := make([]byte, 4) // version and flags
	for _, n := range numbers {
		start = binary.BigEndian.AppendUint32(start, n)
	}
	return container(name, append([]node{literal(start)}, entries...)...)
}
