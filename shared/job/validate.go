package job

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Validate checks that the parts of a spec are consistent: the partitions are contiguous from config.startFrame and
// have config.frameCount frames in total, each has its own chunk in the job file's folder, and merge joins exactly
// these chunks in order. It does not check the commands or whether files exist. The error is an [*Error] with the first
// invalid field.
func (s *Spec) Validate() error {
	if s.Version != Version {
		return Errorf("version", "must be %d, got %d", Version, s.Version)
	}
	if err := checkSchema(schemas().jobID, s.JobID); err != nil {
		return inField("jobId", err)
	}
	if err := s.Config.Validate(); err != nil {
		return inField("config", err)
	}
	if err := s.validatePartitions(); err != nil {
		return err
	}
	if err := s.validateAudio(); err != nil {
		return inField("audio", err)
	}
	return s.validateMerge()
}

func (s *Spec) validatePartitions() error {
	if n := len(s.Partitions); n < 1 || n > MaxPartitions {
		return Errorf("partitions", "must have 1 to %d elements, got %d", MaxPartitions, n)
	}
	next, end := s.Config.StartFrame, s.Config.StartFrame+s.Config.FrameCount
	owners := make(map[string]int, len(s.Partitions))
	for i := range s.Partitions {
		p := &s.Partitions[i]
		if err := s.validatePartition(i, next, end); err != nil {
			return inField(fmt.Sprintf("partitions[%d]", i), err)
		}
		if first, taken := owners[p.OutputFile]; taken {
			return Errorf(fmt.Sprintf("partitions[%d].outputFile", i),
				"%q is also the chunk of partitions[%d]; each partition needs its own", p.OutputFile, first)
		}
		owners[p.OutputFile] = i
		next += p.FrameCount
	}
	if next != end {
		return Errorf("partitions",
			"end before frame %d, but config.startFrame and config.frameCount require frames %d to %d",
			next, s.Config.StartFrame, end-1)
	}
	return nil
}

// validatePartition checks partition i, which must start at frame next. The output ends before frame end.
func (s *Spec) validatePartition(i int, next, end int64) error {
	p := &s.Partitions[i]
	switch {
	case p.ID != i:
		return Errorf("id", "must be %d, got %d: ids count from 0 in the order of the frames", i, p.ID)
	case p.StartFrame != next:
		return Errorf("startFrame", "must be %d, got %d: partitions are contiguous", next, p.StartFrame)
	case p.FrameCount < 1:
		return Errorf("frameCount", "must be at least 1, got %d", p.FrameCount)
	case p.FrameCount > end-next:
		return Errorf("frameCount", "must be at most %d, got %d: the output ends with frame %d",
			end-next, p.FrameCount, end-1)
	}
	if err := checkChunk(p.OutputFile); err != nil {
		return inField("outputFile", err)
	}
	switch p.OutputFile {
	case path.Clean(s.Config.Output):
		return Errorf("outputFile", "%q is the output of the job; use another name for the chunk", p.OutputFile)
	case path.Clean(s.Config.Input):
		return Errorf("outputFile", "%q is the composition; use another name for the chunk", p.OutputFile)
	}
	return nil
}

func (s *Spec) validateAudio() error {
	if s.Audio == nil {
		return nil
	}
	for i := range s.Audio.Tracks {
		if err := s.Audio.Tracks[i].Validate(); err != nil {
			return inField(fmt.Sprintf("tracks[%d]", i), err)
		}
	}
	if err := checkChunk(s.Audio.OutputFile); err != nil {
		return inField("outputFile", err)
	}
	if path.Clean(s.Config.Output) == s.Audio.OutputFile {
		return Errorf("outputFile", "%q is the output of the job; use another name for the sound", s.Audio.OutputFile)
	}
	for i := range s.Partitions {
		if s.Partitions[i].OutputFile == s.Audio.OutputFile {
			return Errorf("outputFile", "%q is also the chunk of partitions[%d]; use another name for the sound",
				s.Audio.OutputFile, i)
		}
	}
	return nil
}

func (s *Spec) validateMerge() error {
	sound := ""
	if s.Audio != nil {
		sound = s.Audio.OutputFile
	}
	if s.Merge.Audio != sound {
		return Errorf("merge.audio", "must be audio.outputFile, %q, got %q", sound, s.Merge.Audio)
	}
	if len(s.Merge.Inputs) != len(s.Partitions) {
		return Errorf("merge.inputs", "must have the chunks of all %d partitions, got %d",
			len(s.Partitions), len(s.Merge.Inputs))
	}
	for i, input := range s.Merge.Inputs {
		if want := s.Partitions[i].OutputFile; input != want {
			return Errorf(fmt.Sprintf("merge.inputs[%d]", i), "must be partitions[%d].outputFile, %q, got %q",
				i, want, input)
		}
	}
	if s.Merge.Output != s.Config.Output {
		return Errorf("merge.output", "must be the same as config.output, %q, got %q", s.Config.Output, s.Merge.Output)
	}
	return nil
}

// Validate checks the range of each field, and that the duration matches the number of frames. Fields in the error are
// relative to the config.
func (c *Config) Validate() error {
	if err := checkPath(c.Input); err != nil {
		return inField("input", err)
	}
	if err := checkOutput(c.Output, c.Format); err != nil {
		return inField("output", err)
	}
	if err := checkProps(c.Props); err != nil {
		return inField("props", err)
	}
	if err := checkRanges(schemas().config, c); err != nil {
		return err
	}
	if c.Capture == CaptureStream && c.BestCapture() != CaptureStream {
		return Errorf("capture", "stream requires opaque output of even size in 8-bit YUV 4:2:0; use screenshot")
	}
	if _, err := Length(c.StartFrame+c.FrameCount, c.FPS); err != nil {
		return inField("frameCount", err)
	}
	if frames := Frames(c.Duration, c.FPS); frames != c.FrameCount {
		return Errorf("duration", "%s seconds at %s frames per second are %d frames, but frameCount is %d",
			c.Duration, c.FPS, frames, c.FrameCount)
	}
	return nil
}

// Validate checks the range of each field. Fields in the error are relative to the track.
func (t *Track) Validate() error {
	if err := checkPath(t.Source); err != nil {
		return inField("source", err)
	}
	return checkRanges(schemas().track, t)
}

// checkRanges validates a part of a spec against its schema, because only the schema defines the ranges.
func checkRanges(schema *jsonschema.Schema, part any) error {
	data, err := json.Marshal(part)
	if err != nil {
		return Errorf("", "cannot be encoded as JSON: %v", err) // an infinite number or NaN
	}
	var document any
	if err := json.Unmarshal(data, &document); err != nil {
		return err
	}
	return checkSchema(schema, document)
}

// checkPath checks that JSON and commands can contain a path or URL.
func checkPath(name string) error {
	switch {
	case name == "":
		return Errorf("", "must not be empty")
	case !utf8.ValidString(name):
		return Errorf("", "%q is not in UTF-8, which JSON requires; rename it", name)
	case strings.ContainsRune(name, 0):
		return Errorf("", "%q contains a NUL character", name)
	}
	return nil
}

func checkProps(props json.RawMessage) error {
	if len(props) == 0 {
		return nil
	}
	if !utf8.Valid(props) {
		return Errorf("", "must be a JSON object in UTF-8")
	}
	var value any
	if err := json.Unmarshal(props, &value); err != nil {
		return Errorf("", "must be a JSON object: %v", err)
	}
	return nil
}

// checkOutput rejects folders, except for image sequences.
func checkOutput(name string, format Format) error {
	if err := checkPath(name); err != nil {
		return err
	}
	folder := strings.HasSuffix(name, "/") && format != PNG && format != JPEG
	if base := path.Base(name); folder || base == "." || base == ".." {
		return Errorf("", "%q is a folder; use a file in it", name)
	}
	return nil
}

// checkChunk rejects paths outside of the job's folder, because specs can come from untrusted sources.
func checkChunk(name string) error {
	if err := checkPath(name); err != nil {
		return err
	}
	// IsLocal rejects paths that the operating system resolves to another folder, such as C: or those with backslashes.
	if !fs.ValidPath(name) || name == "." || !filepath.IsLocal(name) {
		return Errorf("",
			"%q must be a path inside the job's folder: relative, with slashes, and without . or .. in it", name)
	}
	return nil
}
