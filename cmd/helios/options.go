package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"helios/shared/audio"
	"helios/shared/encode"
	"helios/shared/job"
	"helios/shared/plan"
)

// addSettings adds the flags of a command's settings, which set the fields of a config.
func addSettings(cmd *cobra.Command, c *job.Config, on job.Commands) {
	codecs := map[string][]string{"videoCodec": encode.Codecs(), "audioCodec": audio.Codecs()}
	for _, s := range job.Settings(on) {
		value, choices := s.Value(c), s.Choices()
		if choices == nil {
			choices = codecs[s.Name]
		}
		usage := s.Usage(choices)
		switch s.Name {
		case "props":
			value, usage = propsOrFile{value}, usage+", or a file that contains it"
		case "preset":
			choices = encode.Presets() // too many for the help
		case "scale":
			// The size includes width and height, so it comes right after them.
			cmd.Flags().Var(&size{config: c}, "size", "`name` of a width and height: "+strings.Join(sizeNames(), ", "))
			completeWords(cmd, "size", sizeNames()...)
		}
		flag := cmd.Flags().VarPF(value, s.Flag(), "", usage)
		if value.Type() == "bool" {
			flag.NoOptDefVal = "true"
		}
		if choices != nil {
			completeWords(cmd, s.Flag(), choices...)
		}
	}
}

// propsOrFile is the value of --props: a JSON object, or the name of a file that contains one.
type propsOrFile struct{ job.Value }

func (p propsOrFile) Set(text string) error {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		data, err := os.ReadFile(text)
		if err != nil {
			return fmt.Errorf("is neither a JSON object nor a readable file: %w", err)
		}
		text = string(data)
	}
	return p.Value.Set(text)
}

// sizes are widths and heights that have a name.
var sizes = map[string][2]int{
	"4k": {3840, 2160}, "1080p": {1920, 1080}, "720p": {1280, 720}, "square": {1080, 1080}, "portrait": {1080, 1920},
}

func sizeNames() []string { return slices.Sorted(maps.Keys(sizes)) }

// size is the value of --size. It sets the width and the height, unless --width or --height does so.
type size struct {
	config *job.Config
	name   string
}

func (s *size) String() string { return s.name }
func (s *size) Type() string   { return "size" }

func (s *size) Set(name string) error {
	next, ok := sizes[name]
	if !ok {
		return fmt.Errorf("must be one of %s, got %q", strings.Join(sizeNames(), ", "), name)
	}
	previous := sizes[s.name]
	for i, side := range []*int{&s.config.Width, &s.config.Height} {
		if *side == previous[i] {
			*side = next[i]
		}
	}
	s.name = name
	return nil
}

// addTracks adds the flag for tracks of sound.
func addTracks(cmd *cobra.Command, tracks *[]job.Track) {
	cmd.Flags().Var((*trackList)(tracks), "audio-track", "sound to add, `FILE[@OFFSET][,OPTION=VALUE]`; "+
		"options are volume, fade-in, fade-out, seek, duration, rate and loop; can be repeated")
}

// trackList is the value of --audio-track.
type trackList []job.Track

func (l *trackList) String() string { return "" }
func (l *trackList) Type() string   { return "track" }

func (l *trackList) Set(text string) error {
	t, err := job.ParseTrack(text)
	if err != nil {
		return fmt.Errorf("%.200s: %w", text, err)
	}
	*l = append(*l, t)
	return nil
}

// checkOptions returns an error if the options are invalid, whatever the page declares. Nothing has been started yet.
func checkOptions(o plan.Options) error {
	if o.FrameCount == 0 && o.Duration.IsZero() {
		o.FrameCount = 1
	}
	spec, err := plan.New(o)
	if err != nil {
		return err
	}
	if o.Width == 0 || o.Height == 0 {
		spec.Config.Width, spec.Config.Height, spec.Config.Scale = plan.DefaultWidth, plan.DefaultHeight, 1
	}
	return encode.Check(spec.Config)
}

// reportFlags select what a command prints.
type reportFlags struct{ json, quiet bool }

func (f *reportFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.json, "json", false, "print each event as a line of JSON on standard output")
	cmd.Flags().BoolVar(&f.quiet, "quiet", false, "print nothing but errors")
}
