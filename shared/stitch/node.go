package stitch

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/Eyevinn/mp4ff/mp4"
)

// node is a part of the output's head: a box, or bytes inside one. Its size is known before its
// content, which may be streamed.
type node struct {
	size  int64
	write func(io.Writer) error
}

// sequence is parts one after the other.
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

// container is a box that holds other parts.
func container(name string, parts ...node) node {
	body := sequence(parts...)
	head := binary.BigEndian.AppendUint32(nil, uint32(8+body.size))
	return sequence(literal(append(head, name...)), body)
}

// literal is bytes as they are.
func literal(b []byte) node {
	return node{int64(len(b)), func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}}
}

// encoded is a small box of a known type.
func encoded(b mp4.Box) (node, error) {
	var buf bytes.Buffer
	if err := b.Encode(&buf); err != nil {
		return node{}, err
	}
	return literal(buf.Bytes()), nil
}

// table is a full box of version 0 that holds numbers and then streamed entries.
func table(name string, numbers []uint32, entries ...node) node {
	start := make([]byte, 4)
	for _, n := range numbers {
		start = binary.BigEndian.AppendUint32(start, n)
	}
	return container(name, append([]node{literal(start)}, entries...)...)
}
