package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"helios/shared/audio"
	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/plan"
)

// pageFlags are the flags that say how a page is opened.
type pageFlags struct {
	width, height int
	size          string
	scale         float64
	fps           job.Rate
	seed          uint32
	props         string
	timeout       job.Seconds
}

func (f *pageFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.IntVar(&f.width, "width", 0, "width of a frame in `pixels` (default: the page's data-width, or 1920)")
	fs.IntVar(&f.height, "height", 0, "height of a frame in `pixels` (default: the page's data-height, or 1080)")
	fs.StringVar(&f.size, "size", "", "`name` of a width and height: "+strings.Join(sizeNames(), ", "))
	completeWords(cmd, "size", sizeNames()...)
	fs.Float64Var(&f.scale, "scale", 1, "`pixels` of a frame for each pixel of the page, such as 0.5 or 2")
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
	if f.scale <= 0 {
		return fault.Userf("--scale must be more than 0, got %v", f.scale)
	}
	o.Width, o.Height, o.Scale, o.FPS, o.Seed, o.Timeout = f.width, f.height, f.scale, f.fps, f.seed, f.timeout
	if f.size != "" {
		size, ok := sizes[f.size]
		if !ok {
			return fault.Userf("--size must be one of %s, got %q", strings.Join(sizeNames(), ", "), f.size)
		}
		o.Width, o.Height = cmp.Or(f.width, size[0]), cmp.Or(f.height, size[1])
	}
	if cmd.Flags().Changed("props") {
		o.Props, err = readProps(f.props)
	}
	return err
}

// sizes are widths and heights that have a name.
var sizes = map[string][2]int{
	"4k": {3840, 2160}, "1080p": {1920, 1080}, "720p": {1280, 720}, "square": {1080, 1080}, "portrait": {1080, 1920},
}

func sizeNames() []string { return slices.Sorted(maps.Keys(sizes)) }

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
		spec.Config.Width, spec.Config.Height, spec.Config.Scale = plan.DefaultWidth, plan.DefaultHeight, 1
	}
	return encode.Check(spec.Config)
}

// encoderFlags are the flags that say how pictures and sound are encoded.
type encoderFlags struct {
	format                       string
	videoCodec, preset           string
	quality, gop, bitDepth, loop int
	bitrate                      bits
}

func (f *encoderFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.format, "format", "", "`kind` of output: mp4, mov, webm, gif, webp, apng, png or jpeg (default: what the output's name ends with)")
	fs.StringVar(&f.videoCodec, "video-codec", "", "`encoder` of the pictures: "+strings.Join(encode.Codecs(), ", ")+" (default: that of the format)")
	fs.StringVar(&f.preset, "preset", "", "the encoder's trade of `speed` against size, such as ultrafast, veryfast or medium")
	fs.IntVar(&f.quality, "quality", 0, "constant rate factor (`CRF`) of the encoder: 0 is lossless for libx264, 51 the worst (default: that of the encoder)")
	fs.Var(&f.bitrate, "bitrate", "`bits` a second of the pictures, such as 8M, instead of a quality")
	fs.IntVar(&f.gop, "gop", 0, "most `frames` from one key frame to the next (default: two seconds' worth)")
	fs.IntVar(&f.bitDepth, "bit-depth", 0, "`bits` of a colour, 8 or 10 (default: that of the encoder)")
	fs.IntVar(&f.loop, "loop", 0, "how `often` a GIF, WebP or APNG is shown (default: for ever)")
	completeWords(cmd, "format", "mp4", "mov", "webm", "gif", "webp", "apng", "png", "jpeg")
	completeWords(cmd, "video-codec", encode.Codecs()...)
	completeWords(cmd, "preset", encode.Presets()...)
}

func (f *encoderFlags) fill(cmd *cobra.Command, o *plan.Options) error {
	for name, value := range map[string]int{"gop": f.gop, "bit-depth": f.bitDepth, "loop": f.loop} {
		if err := atLeast(cmd, name, int64(value), 0); err != nil {
			return err
		}
	}
	o.Format, o.VideoCodec, o.Preset = job.Format(f.format), f.videoCodec, f.preset
	o.GOP, o.BitDepth, o.Loop, o.Bitrate = f.gop, f.bitDepth, f.loop, int64(f.bitrate)
	if cmd.Flags().Changed("quality") {
		o.Quality = &f.quality
	}
	return nil
}

// soundFlags are the flags about sound.
type soundFlags struct {
	tracks   []string
	codec    string
	bitrate  bits
	loudness float64
}

func (f *soundFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringArrayVar(&f.tracks, "audio-track", nil, "sound to add, `FILE[@OFFSET][,OPTION=VALUE]`; options are volume, fade-in, fade-out, seek, duration, rate and loop; can be repeated")
	fs.StringVar(&f.codec, "audio-codec", "", "`encoder` of the sound: "+strings.Join(audio.Codecs(), ", ")+" (default: that of the format)")
	fs.Var(&f.bitrate, "audio-bitrate", "`bits` a second of the sound, such as 192k")
	fs.Float64Var(&f.loudness, "loudness", 0, "bring the sound to this loudness in `LUFS`, such as -14")
	completeWords(cmd, "audio-codec", audio.Codecs()...)
}

func (f *soundFlags) fill(o *plan.Options) error {
	o.AudioCodec, o.AudioBitrate, o.Loudness = f.codec, int64(f.bitrate), f.loudness
	for _, text := range f.tracks {
		t, err := job.ParseTrack(text)
		if err != nil {
			return fault.Userf("--audio-track %.200s: %w", text, err)
		}
		o.Tracks = append(o.Tracks, t)
	}
	return nil
}

// bits is a flag: a number with k or M for thousands and millions.
type bits int64

func (b *bits) String() string { return strconv.FormatInt(int64(*b), 10) }
func (b *bits) Type() string   { return "bits" }

func (b *bits) Set(text string) error {
	number, factor := text, 1.0
	switch {
	case strings.HasSuffix(text, "k"):
		number, factor = strings.TrimSuffix(text, "k"), 1e3
	case strings.HasSuffix(text, "M"):
		number, factor = strings.TrimSuffix(text, "M"), 1e6
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || !(value*factor >= 1000 && value*factor <= 2e9) {
		return fmt.Errorf("must be bits a second from 1k to 2000M, such as 8M, got %q", text)
	}
	*b = bits(math.Round(value * factor))
	return nil
}

// reportFlags select what a command prints.
type reportFlags struct{ json, quiet bool }

func (f *reportFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.json, "json", false, "print each event as a line of JSON on standard output")
	cmd.Flags().BoolVar(&f.quiet, "quiet", false, "print nothing but errors")
}
