package render

import (
	"encoding/json"

	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/stitch"
)

// provenance describes how a chunk or an output was made. It is stored in the comment of the file.
type provenance struct {
	// Chunk is nil in an output.
	Chunk *job.ChunkID `json:"chunk,omitempty"`
	// Frames is the number of frames that the chunk must have.
	Frames int64 `json:"frames,omitempty"`
	// Capture is the capture mode of a chunk; "" in an output.
	Capture job.Capture `json:"capture,omitempty"`
	Tools
}

func (p provenance) comment() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return string(text)
}

// provenanceOf parses a comment. It returns false if Helios did not make the file.
func provenanceOf(comment string) (p provenance, ok bool) {
	err := json.Unmarshal([]byte(comment), &p)
	return p, err == nil && p.Chromium != "" && p.FFmpeg != ""
}

// sequence checks that chunks are all chunks of one job, in order, and made by the same tools. It accepts files without
// provenance: stitch checks what they contain.
type sequence struct {
	chunks int // the number of chunks to merge
	first  string
	origin provenance // of the first
	count  int        // the number of chunks accepted
}

// accept checks the next chunk. Its error is a user error that names the chunk and the difference.
func (s *sequence) accept(c stitch.Chunk, info stitch.Info) error {
	p, ok := provenanceOf(info.Comment)
	if !ok {
		return nil
	}
	if s.first == "" {
		s.first, s.origin = c.Name, p
	}
	if p.Tools != s.origin.Tools {
		return fault.Userf("%s was made with Chromium %s and ffmpeg %s, but %s with Chromium %s and ffmpeg %s; "+
			"render both with the same versions",
			c.Name, p.Chromium, p.FFmpeg, s.first, s.origin.Chromium, s.origin.FFmpeg)
	}
	if p.Capture != s.origin.Capture && p.Capture != "" && s.origin.Capture != "" {
		return fault.Userf("%s was captured in mode %s, but %s in mode %s; render both in the same mode",
			c.Name, p.Capture, s.first, s.origin.Capture)
	}
	if p.Chunk == nil || s.origin.Chunk == nil {
		return nil
	}
	if p.Chunk.Job != s.origin.Chunk.Job {
		return fault.Userf("%s belongs to job %s, but %s to job %s; merge the chunks of one job",
			c.Name, p.Chunk.Job, s.first, s.origin.Chunk.Job)
	}
	want := s.count
	s.count++
	switch {
	case p.Frames != info.Frames:
		return fault.Userf("%s has %d frames, but partition %d has %d; render it again",
			c.Name, info.Frames, p.Chunk.Partition, p.Frames)
	case p.Chunk.Partition < want:
		return fault.Userf("%s is partition %d, which is a duplicate or out of order; pass each chunk once, in order",
			c.Name, p.Chunk.Partition)
	case p.Chunk.Partition > want:
		return fault.Userf("partition %d is missing: %s is partition %d of %d",
			want, c.Name, p.Chunk.Partition, p.Chunk.Partitions)
	case s.count == s.chunks && s.count < p.Chunk.Partitions:
		return fault.Userf("partition %d is missing: the job has %d, and %s is the last one given",
			s.count, p.Chunk.Partitions, c.Name)
	}
	return nil
}
