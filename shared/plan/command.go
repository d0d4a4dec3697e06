package plan

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"helios/shared/addr"
	"helios/shared/job"
)

const (
	// maxLine is the longest argument that Linux passes to a program, and so the longest line for sh -c.
	maxLine = 128<<10 - 1
	// maxLines bounds what the commands of all partitions take up together: specs are held in memory.
	maxLines = 64 << 20
)

// writeCommands gives each partition, and the merge, the command that does its work.
func writeCommands(s *job.Spec) error {
	c := &s.Config
	head := job.Command("helios", "render", job.PathWord(c.Input)) + " --start-frame "
	tail := " " + job.Command(flags(c)...) + " -o "

	longest := len(head) + len(tail) + 2*len("--frame-count 9007199254740991") + 2*len(s.JobID) + len(job.Quote(s.Merge.Inputs[0]))
	if longest > maxLine {
		return job.Errorf("props", "make each command longer than the %d bytes that sh takes; put the data into a file that the page fetches", maxLine)
	}
	if total := longest * len(s.Partitions); total > maxLines {
		return job.Errorf("props", "make the %d commands %d MB long, more than %d; put the data into a file that the page fetches, or use fewer partitions",
			len(s.Partitions), total>>20, maxLines>>20)
	}
	for i := range s.Partitions {
		p := &s.Partitions[i]
		p.Command = head + strconv.FormatInt(p.StartFrame, 10) +
			" --frame-count " + strconv.FormatInt(p.FrameCount, 10) +
			" --chunk " + job.ChunkID{Job: s.JobID, Partition: p.ID, Partitions: len(s.Partitions)}.String() +
			tail + job.Quote(job.PathWord(p.OutputFile))
	}
	if s.Audio != nil {
		if s.Audio.Command = audioCommand(c, s.Audio); len(s.Audio.Command) > maxLine {
			return job.Errorf("tracks", "make the command of the sound longer than the %d bytes that sh takes; use fewer, or shorter names", maxLine)
		}
	}
	s.Merge.Command = mergeCommand(c, s.Merge)
	return nil
}

// audioCommand mixes all tracks. Each is written as JSON, in which any name can be said.
func audioCommand(c *job.Config, a *job.Audio) string {
	words := []string{
		"helios", "audio", job.PathWord(a.OutputFile),
		"--fps", c.FPS.String(),
		"--start-frame", strconv.FormatInt(c.StartFrame, 10),
		"--frame-count", strconv.FormatInt(c.FrameCount, 10),
		"--audio-codec", c.AudioCodec,
	}
	words = append(words, audioFlags(c)...)
	if addr.IsRemote(c.Input) {
		words = append(words, "--input", c.Input)
	}
	for _, t := range a.Tracks {
		text, err := json.Marshal(t)
		if err != nil {
			panic(err) // strings and finite numbers are JSON
		}
		words = append(words, "--audio-track", string(text))
	}
	return job.Command(append(words, "--overwrite")...)
}

func audioFlags(c *job.Config) (words []string) {
	if c.AudioBitrate != 0 {
		words = append(words, "--audio-bitrate", strconv.FormatInt(c.AudioBitrate, 10))
	}
	if c.Loudness != 0 {
		words = append(words, "--loudness", decimal(c.Loudness))
	}
	return words
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// flags returns what all partitions have in common. A partition is the work of one process, and one that
// runs again replaces what it left before.
func flags(c *job.Config) []string {
	words := []string{
		"--format", string(c.Format),
		"--width", strconv.Itoa(c.Width),
		"--height", strconv.Itoa(c.Height),
		"--fps", c.FPS.String(),
		"--video-codec", c.VideoCodec,
		"--audio-codec", c.AudioCodec,
		"--quality", strconv.Itoa(*c.Quality),
		"--preset", c.Preset,
		"--seek-mode", string(c.SeekMode),
		"--capture", string(c.Capture),
		"--seed", strconv.FormatUint(uint64(c.Seed), 10),
		"--timeout", c.Timeout.String(),
	}
	if c.Scale != 1 {
		words = append(words, "--scale", decimal(c.Scale))
	}
	if c.Transparent {
		words = append(words, "--transparent")
	}
	if c.Bitrate != 0 {
		words = append(words, "--bitrate", strconv.FormatInt(c.Bitrate, 10))
	}
	if c.GOP != 0 {
		words = append(words, "--gop", strconv.Itoa(c.GOP))
	}
	if c.BitDepth != 0 {
		words = append(words, "--bit-depth", strconv.Itoa(c.BitDepth))
	}
	if len(c.Props) > 0 {
		words = append(words, "--props", string(c.Props))
	}
	if c.AllowMissingAssets {
		words = append(words, "--allow-missing-assets")
	}
	return append(words, "--concurrency", "1", "--overwrite")
}

// mergeCommand names the chunks one by one, or lets sh count them where the names would not fit into one
// line: sh can pass far more to a program than sh -c takes.
func mergeCommand(c *job.Config, m job.Merge) string {
	words := make([]string, 0, 12+len(m.Inputs))
	words = append(words, "helios", "merge")
	if m.Audio != "" {
		words = append(words, "--audio", m.Audio)
	}
	if !c.Format.Video() {
		words = append(words, "--format", string(c.Format), "--quality", strconv.Itoa(*c.Quality), "--loop", strconv.Itoa(c.Loop))
	}
	words = append(words, job.PathWord(m.Output))
	fixed := len(words)
	for _, input := range m.Inputs {
		words = append(words, job.PathWord(input))
	}
	if line := job.Command(words...); len(line) <= maxLine {
		return line
	}
	prefix, suffix := chunkAffixes(c)
	literal := strings.NewReplacer(`\`, `\\`, `%`, `%%`)
	format := fmt.Sprintf(" %s%%0%dd%s", literal.Replace(job.Quote(job.PathWord(prefix))), chunkDigits, literal.Replace(job.Quote(suffix)))
	return fmt.Sprintf(`eval %s "$(i=0; while [ $i -lt %d ]; do printf %s $i; i=$((i+1)); done)"`,
		job.Quote(job.Command(words[:fixed]...)), len(m.Inputs), job.Quote(format))
}
