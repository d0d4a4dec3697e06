package render

import (
	"encoding/json"

	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/stitch"
)

// provenance is what a chunk, and an output, says about where it comes from. It stands in the file as its
// comment.
type provenance struct {
	// Chunk is nil in an output.
	Chunk *job.ChunkID `json:"chunk,omitempty"`
	// Frames is how many frames the chunk is to have.
	Frames int64 `json:"frames,omitempty"`
	// Capture is the capture mode of a chunk's frames; "" in an output.
	Capture job.Capture `json:"capture,omitempty"`
	Tools
}

func (p provenance) comment() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers are JSON
	}
	return string(text)
}

// provenanceOf reads a comment; a file that was not made by Helios has none.
func provenanceOf(comment string) (p provenance, ok bool) {
	err := json.Unmarshal([]byte(comment), &p)
	return p, err == nil && p.Chromium != "" && p.FFmpeg != ""
}

// sequence checks that the chunks to be merged are those of one job, each once and in order, and made by
// the same tools. Files without provenance pass: what they hold was checked by stitch.
type sequence struct {
	chunks int // how many there are to be
	first  string
	origin provenance
	count  int // how many came
}

// accept is told of the next chunk. Its error is a fault.User that names the chunk and the difference.
func (s *sequence) accept(c stitch.Chunk, info stitch.Info) error {
	p, ok := provenanceOf(info.Comment)
	if !ok {
		return nil
	}
	if s.first == "" {
		s.first, s.origin = c.Name, p
	}
	if p.Tools != s.origin.Tools {
		return fault.Userf("%s was made with Chromium %s and ffmpeg %s, but %s with Chromium %s and ffmpeg %s; render both with the same",
			c.Name, p.Chromium, p.FFmpeg, s.first, s.origin.Chromium, s.origin.FFmpeg)
	}
	if p.Capture != s.origin.Capture && p.Capture != "" && s.origin.Capture != "" {
		return fault.Userf("%s was captured in mode %s, but %s in mode %s; render both in the same mode", c.Name, p.Capture, s.first, s.origin.Capture)
	}
	if p.Chunk == nil || s.origin.Chunk == nil {
		return nil
	}
	if p.Chunk.Job != s.origin.Chunk.Job {
		return fault.Userf("%s is of job %s, but %s of job %s; merge the chunks of one job", c.Name, p.Chunk.Job, s.first, s.origin.Chunk.Job)
	}
	want := s.count
	s.count++
	switch {
	case p.Frames != info.Frames:
		return fault.Userf("%s has %d frames, but partition %d has %d; render it again", c.Name, info.Frames, p.Chunk.Partition, p.Frames)
	case p.Chunk.Partition < want:
		return fault.Userf("%s is partition %d, which was there already or belongs before; give each chunk once and in order", c.Name, p.Chunk.Partition)
	case p.Chunk.Partition > want:
		return fault.Userf("partition %d is missing: %s is partition %d of %d", want, c.Name, p.Chunk.Partition, p.Chunk.Partitions)
	case s.count == s.chunks && s.count < p.Chunk.Partitions:
		return fault.Userf("partition %d is missing: the job has %d, and %s is the last one given", s.count, p.Chunk.Partitions, c.Name)
	}
	return nil
}
