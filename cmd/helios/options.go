package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/plan"
)

// pageFlags are the flags that say how a page is opened.
type pageFlags struct {
	width, height int
	fps           job.Rate
	seed          uint32
	props         string
	timeout       job.Seconds
}

func (f *pageFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.IntVar(&f.width, "width", 0, "width of a frame in `pixels` (default: the page's data-width, or 1920)")
	fs.IntVar(&f.height, "height", 0, "height of a frame in `pixels` (default: the page's data-height, or 1080)")
	fs.TextVar(&f.fps, "fps", job.Rate{}, "frame `rate`: 30, 29.97 or 30000/1001 (default: the page's data-fps, or 30)")
	fs.Uint32Var(&f.seed, "seed", 0, "seed of Math.random in the page, a `number`")
	fs.StringVar(&f.props, "props", "", "JSON `file`, or JSON object, for the page's window.__HELIOS_PROPS__")
	fs.TextVar(&f.timeout, "timeout", plan.DefaultTimeout, "longest time, in `seconds`, for loading the page and for each frame")
}

// fill puts what the flags say into plan options. A flag that was given wrong must not count as left out.
func (f *pageFlags) fill(cmd *cobra.Command, o *plan.Options) (err error) {
	if err := atLeast(cmd, "width", int64(f.width), 1); err != nil {
		return err
	}
	if err := atLeast(cmd, "height", int64(f.height), 1); err != nil {
		return err
	}
	if f.timeout.IsZero() {
		return fault.Userf("--timeout must be more than 0")
	}
	o.Width, o.Height, o.FPS, o.Seed, o.Timeout = f.width, f.height, f.fps, f.seed, f.timeout
	if cmd.Flags().Changed("props") {
		o.Props, err = readProps(f.props)
	}
	return err
}

// readProps reads a JSON object: the argument itself, or the file that it names.
func readProps(arg string) (json.RawMessage, error) {
	text := []byte(arg)
	if !strings.HasPrefix(strings.TrimSpace(arg), "{") {
		var err error
		if text, err = os.ReadFile(arg); err != nil {
			return nil, fault.Userf("--props is neither a JSON object nor a file that can be read: %w", err)
		}
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, fault.Userf("--props %.80s is not a JSON object: %w", arg, err)
	}
	return text, nil
}

// check refuses options that cannot work out, whatever the page says about itself. Nothing is started for
// them.
func check(o plan.Options) error {
	if o.FrameCount == 0 && o.Duration.IsZero() {
		o.FrameCount = 1
	}
	spec, err := plan.New(o)
	if err != nil {
		return err
	}
	if o.Width == 0 || o.Height == 0 {
		spec.Config.Width, spec.Config.Height = plan.DefaultWidth, plan.DefaultHeight
	}
	return encode.Check(spec.Config)
}

// encoderFlags are the flags that say how pictures are encoded.
type encoderFlags struct {
	videoCodec, audioCodec, preset string
	quality                        int
}

func (f *encoderFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.videoCodec, "video-codec", "libx264", "`encoder` of the pictures: "+strings.Join(encode.Codecs(), " or "))
	fs.StringVar(&f.audioCodec, "audio-codec", "aac", "`encoder` of the sound")
	fs.StringVar(&f.preset, "preset", "medium", "the encoder's trade of `speed` against size, from ultrafast to veryslow")
	fs.IntVar(&f.quality, "quality", plan.DefaultQuality, "constant rate factor (`CRF`) of the encoder: 0 is lossless for libx264, 51 the worst")
	completeWords(cmd, "video-codec", encode.Codecs()...)
	completeWords(cmd, "audio-codec", encode.AudioCodecs()...)
	completeWords(cmd, "preset", encode.Presets()...)
}

func (f *encoderFlags) fill(o *plan.Options) {
	o.VideoCodec, o.AudioCodec, o.Preset, o.Quality = f.videoCodec, f.audioCodec, f.preset, &f.quality
}

// outputFlags are the flags that say what is told.
type outputFlags struct{ json, quiet bool }

func (f *outputFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.json, "json", false, "print each event as a line of JSON on standard output")
	cmd.Flags().BoolVar(&f.quiet, "quiet", false, "print nothing but errors")
}
