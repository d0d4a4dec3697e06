package webm

// head returns everything before the clusters. Positions and sizes have a fixed length, so the position of an element
// does not depend on the values in others.
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
	// SeekHead is the first element of the segment. Positions are relative to its start.
	seek := seekHead(make([]int64, len(parts)))
	pos := int64(len(appendBytes(nil, idSeekHead, seek)))
	positions := make([]int64, len(parts))
	for i, part := range parts {
		positions[i] = pos
		pos += 4 + 8 + int64(len(part.body))
	}
	parts[3].body = p.cues(pos)
	body := appendBytes(nil, idSeekHead, seekHead(positions))
	for _, part := range parts {
		body = append(appendWide(body, part.id, int64(len(part.body))), part.body...)
	}
	size := int64(len(body))
	for _, c := range p.clusters {
		size += clusterHeader + c.size
	}
	return append(appendWide(ebml, idSegment, size), body...)
}

// seekHead returns the content of SeekHead: the positions of the other elements.
func seekHead(positions []int64) []byte {
	var b []byte
	for i, name := range []id{idInfo, idTracks, idTags, idCues} {
		entry := appendBytes(nil, idSeekID, appendID(nil, name))
		entry = appendNumber(entry, idSeekPosition, positions[i])
		b = appendBytes(b, idSeek, entry)
	}
	return b
}

// info returns the content of Info.
func (p *plan) info() []byte {
	b := appendNumber(nil, idTimestampScale, millisecond)
	b = appendBytes(b, idMuxingApp, []byte("helios"))
	b = appendBytes(b, idWritingApp, []byte("helios"))
	return appendFloat(b, idDuration, p.fps.Milliseconds(p.frames))
}

// tracks returns the content of Tracks.
func (p *plan) tracks() []byte {
	b := p.first.tracks[0].entry(videoNumber)
	if p.audio != nil {
		b = append(b, p.audio.tracks[0].entry(audioNumber)...)
	}
	return b
}

// tags returns the content of Tags.
func tags(comment string) []byte {
	b := appendBytes(nil, idTagName, []byte("COMMENT"))
	b = appendBytes(b, idTagString, []byte(comment))
	b = append(appendHeader(nil, idTargets, 0), appendBytes(nil, idSimpleTag, b)...)
	return appendBytes(nil, idTag, b)
}

// cues returns the content of Cues: an entry for each cluster that starts with a key frame. pos is the position of the
// first cluster.
func (p *plan) cues(pos int64) []byte {
	var b []byte
	for _, c := range p.clusters {
		if c.key {
			track := appendNumber(nil, idCueTrack, videoNumber)
			track = appendNumber(track, idCueClusterPosition, pos)
			point := appendNumber(nil, idCueTime, c.time)
			b = appendBytes(b, idCuePoint, appendBytes(point, idCueTrackPositions, track))
		}
		pos += clusterHeader + c.size
	}
	return b
}
