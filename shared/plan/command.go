package plan

import (
	"encoding/json"
	"fmt"
	"strings"

	"helios/shared/addr"
	"helios/shared/job"
)

const (
	// maxCommand is the maximum length of an argument on Linux in bytes, and so of a command for sh -c.
	maxCommand = 128<<10 - 1
	// maxCommands limits the total size of the partitions' commands in bytes, because programs keep specs in memory.
	maxCommands = 64 << 20
)

// writeCommands sets the commands of the partitions, the sound and the merge.
func writeCommands(s *job.Spec) error {
	c := &s.Config
	head := job.Command("helios", "render", job.PathWord(c.Input))
	// A command renders its partition in one process. If it runs again, it replaces the chunk.
	tail := job.Command(append(job.Args(c, job.OnChunk), "--concurrency", "1", "--overwrite")...)
	for i := range s.Partitions {
		p := &s.Partitions[i]
		id := job.ChunkID{Job: s.JobID, Partition: p.ID, Partitions: len(s.Partitions)}
		p.Command = fmt.Sprintf("%s --start-frame %d --frame-count %d --chunk %s %s -o %s",
			head, p.StartFrame, p.FrameCount, id, tail, job.Quote(job.PathWord(p.OutputFile)))
		switch total := len(p.Command) * len(s.Partitions); {
		case len(p.Command) > maxCommand:
			return job.Errorf("props", "make the command of a partition longer than %d bytes, the limit of sh; "+
				"put the data into a file that the page fetches", maxCommand)
		case total > maxCommands:
			return job.Errorf("props", "make the commands of %d partitions %d MB long, the limit is %d MB; "+
				"put the data into a file that the page fetches, or use fewer partitions",
				len(s.Partitions), total>>20, maxCommands>>20)
		}
	}
	if s.Audio != nil {
		if s.Audio.Command = audioCommand(c, s.Audio); len(s.Audio.Command) > maxCommand {
			return job.Errorf("tracks", "make the command of the sound longer than %d bytes, the limit of sh; "+
				"use fewer tracks or shorter names", maxCommand)
		}
	}
	s.Merge.Command = mergeCommand(c, s.Merge)
	return nil
}

// audioCommand returns the command that mixes the tracks. Tracks are passed as JSON, which supports all file names.
func audioCommand(c *job.Config, a *job.Audio) string {
	words := append([]string{"helios", "audio", job.PathWord(a.OutputFile)}, job.Args(c, job.OnAudio)...)
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

// mergeCommand returns the command that merges the chunks. If their names do not fit into one command, a loop in sh
// generates them: sh can pass far longer arguments to a program than sh -c accepts.
func mergeCommand(c *job.Config, m job.Merge) string {
	words := []string{"helios", "merge"}
	if m.Audio != "" {
		words = append(words, "--audio", m.Audio)
	}
	if !c.Format.Video() {
		words = append(words, job.Args(c, job.OnMerge)...)
	}
	words = append(words, job.PathWord(m.Output))
	fixed := len(words)
	for _, input := range m.Inputs {
		words = append(words, job.PathWord(input))
	}
	if line := job.Command(words...); len(line) <= maxCommand {
		return line
	}
	prefix, suffix := chunkAffixes(c)
	literal := strings.NewReplacer(`\`, `\\`, `%`, `%%`)
	format := fmt.Sprintf(" %s%%0%dd%s",
		literal.Replace(job.Quote(job.PathWord(prefix))), chunkDigits, literal.Replace(job.Quote(suffix)))
	return fmt.Sprintf(`eval %s "$(i=0; while [ $i -lt %d ]; do printf %s $i; i=$((i+1)); done)"`,
		job.Quote(job.Command(words[:fixed]...)), len(m.Inputs), job.Quote(format))
}
