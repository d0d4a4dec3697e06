package webm

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"helios/shared/store"
)

const (
	// timestampSize is the length of a cluster's Timestamp, as appendNumber writes it.
	timestampSize = 1 + 1 + 8
	// clusterHead is the length of what precedes a cluster's content.
	clusterHead = 4 + 8
	// blockHead is the length of what precedes a frame in its block: track, time, flags.
	blockHead = 1 + 2 + 1
	// referenceSize is the length of a ReferenceBlock, with 4 bytes for its number.
	referenceSize = 1 + 1 + 4

	videoNumber = 1
	audioNumber = 2
)

// size is how many bytes a block takes in the output.
func (it item) size() int64 {
	data := blockHead + it.data.size
	whole := 1 + sizeLength(data) + data
	if !it.group {
		return whole
	}
	inner := it.inner()
	return 1 + sizeLength(inner) + inner
}

// inner is how many bytes a block's group holds.
func (it item) inner() int64 {
	data := blockHead + it.data.size
	inner := 1 + sizeLength(data) + data
	for _, e := range it.kept {
		inner += e.size
	}
	if !it.key {
		inner += referenceSize
	}
	return inner
}

// head makes what precedes a frame in the output.
func (it item) head(b []byte, cluster int64) []byte {
	name, flags, number := idSimpleBlock, it.flags, byte(videoNumber)
	if it.sound {
		number = audioNumber
	}
	if it.group {
		name = idBlock
		b = appendHead(b, idBlockGroup, it.inner())
	} else if it.key {
		flags |= simpleKey
	}
	b = appendHead(b, name, blockHead+it.data.size)
	b = append(b, 0x80|number)
	b = binary.BigEndian.AppendUint16(b, uint16(it.time-cluster))
	return append(b, flags)
}

// tail makes what follows a frame and what was kept with it: how far back the frame is that it builds on.
func (it item) tail(b []byte) []byte {
	if !it.group || it.key {
		return b
	}
	b = appendHead(b, idReferenceBlock, 4)
	return binary.BigEndian.AppendUint32(b, uint32(int32(it.previous-it.time)))
}

// write writes the whole file.
func (p *plan) write(ctx context.Context, w io.Writer, comment string) error {
	buf := bufio.NewWriterSize(w, windowSize)
	head := p.head(comment)
	p.size = int64(len(head))
	for _, c := range p.clusters {
		p.size += clusterHead + c.size
	}
	if _, err := buf.Write(head); err != nil {
		return writing(err)
	}
	if err := p.writeClusters(ctx, buf); err != nil {
		return err
	}
	return writing(buf.Flush())
}

// writeClusters copies the blocks.
func (p *plan) writeClusters(ctx context.Context, w *bufio.Writer) error {
	sources := map[bool]*source{} // one of pictures, one of sound
	defer func() {
		for _, s := range sources {
			s.Close()
		}
	}()
	next, left := 0, int64(0)
	var start int64
	var b []byte
	for it, err := range p.items(ctx) {
		if err != nil {
			return err
		}
		if it.opens {
			if left != 0 || next == len(p.clusters) {
				return changed(it.from)
			}
			c := p.clusters[next]
			next, left, start = next+1, c.size-timestampSize, c.time
			b = appendNumber(appendWide(b[:0], idCluster, c.size), idTimestamp, c.time)
			if _, err := w.Write(b); err != nil {
				return writing(err)
			}
		}
		if left -= it.size(); left < 0 {
			return changed(it.from)
		}
		s := sources[it.sound]
		if s == nil || s.movie != it.from {
			if s != nil {
				s.Close()
			}
			delete(sources, it.sound)
			r, err := p.reopen(ctx, it.from)
			if err != nil {
				return err
			}
			s = &source{Reader: r, movie: it.from, window: window{r: r, size: it.from.size}}
			sources[it.sound] = s
		}
		if b, err = s.copy(w, b[:0], it, start); err != nil {
			return err
		}
	}
	if left != 0 || next != len(p.clusters) {
		return changed(p.first)
	}
	return nil
}

// source is a file whose blocks are being copied.
type source struct {
	store.Reader
	window
	movie *movie
}

// copy copies a block into a cluster that starts at a time. It returns b, which it uses.
func (s *source) copy(w *bufio.Writer, b []byte, it item, cluster int64) ([]byte, error) {
	b = it.head(b, cluster)
	if _, err := w.Write(b); err != nil {
		return b, writing(err)
	}
	for _, e := range [...]extent{it.data, it.kept[0], it.kept[1]} {
		if e.size == 0 {
			continue
		}
		part, err := s.bytes(e)
		if err != nil {
			return b, fmt.Errorf("reading frames of %s: %w", s.movie.name, err)
		}
		if _, err := w.Write(part); err != nil {
			return b, writing(err)
		}
	}
	_, err := w.Write(it.tail(b[:0]))
	return b, writing(err)
}

// head makes all that precedes the clusters. Positions and sizes that depend on others have a fixed length.
func (p *plan) head(comment string) []byte {
	var b []byte
	b = appendNumber(b, idEBMLVersion, 1)
	b = appendNumber(b, idEBMLReadVersion, 1)
	b = appendNumber(b, idEBMLMaxIDLength, 4)
	b = appendNumber(b, idEBMLMaxSizeLength, 8)
	b = appendBytes(b, idDocType, []byte("webm"))
	b = appendNumber(b, idDocTypeVersion, 4)
	b = appendNumber(b, idDocTypeReadVersion, 2)
	ebml := appendBytes(nil, idEBML, b)

	parts := []struct {
		id   id
		body []byte
	}{{idInfo, p.info()}, {idTracks, p.tracks()}, {idTags, tags(comment)}, {idCues, p.cues(0)}}
	// SeekHead comes first and says where the others are, counted from its own place.
	seek := p.seekHead(make([]int64, len(parts)))
	at := int64(len(appendBytes(nil, idSeekHead, seek)))
	places := make([]int64, len(parts))
	for i, part := range parts {
		places[i] = at
		at += 4 + 8 + int64(len(part.body))
	}
	parts[3].body = p.cues(at)
	body := appendBytes(nil, idSeekHead, p.seekHead(places))
	for _, part := range parts {
		body = append(appendWide(body, part.id, int64(len(part.body))), part.body...)
	}
	size := int64(len(body))
	for _, c := range p.clusters {
		size += clusterHead + c.size
	}
	return append(appendWide(ebml, idSegment, size), body...)
}

func (p *plan) seekHead(places []int64) []byte {
	var b []byte
	for i, name := range []id{idInfo, idTracks, idTags, idCues} {
		entry := appendBytes(nil, idSeekID, appendID(nil, name))
		entry = appendNumber(entry, idSeekPosition, places[i])
		b = appendBytes(b, idSeek, entry)
	}
	return b
}

func (p *plan) info() []byte {
	b := appendNumber(nil, idTimestampScale, millisecond)
	b = appendBytes(b, idMuxingApp, []byte("helios"))
	b = appendBytes(b, idWritingApp, []byte("helios"))
	return appendFloat(b, idDuration, p.fps.Milliseconds(p.frames))
}

func (p *plan) tracks() []byte {
	b := p.first.tracks[0].entry(videoNumber)
	if p.sound != nil {
		b = append(b, p.sound.tracks[0].entry(audioNumber)...)
	}
	return b
}

func tags(comment string) []byte {
	b := appendBytes(nil, idTagName, []byte("COMMENT"))
	b = appendBytes(b, idTagString, []byte(comment))
	b = append(appendHead(nil, idTargets, 0), appendBytes(nil, idSimpleTag, b)...)
	return appendBytes(nil, idTag, b)
}

// cues make an entry for each cluster that begins with a key frame; at is the place of the first cluster.
func (p *plan) cues(at int64) []byte {
	var b []byte
	for _, c := range p.clusters {
		if c.key {
			track := appendNumber(nil, idCueTrack, videoNumber)
			track = appendNumber(track, idCueClusterPosition, at)
			point := appendNumber(nil, idCueTime, c.time)
			b = appendBytes(b, idCuePoint, appendBytes(point, idCueTrackPositions, track))
		}
		at += clusterHead + c.size
	}
	return b
}
