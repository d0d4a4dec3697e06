package job

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Setting describes a field of [Config]: its flag, its help text and its possible values. To add a setting, add a field
// to Config and a row to the table of settings. Flags, commands and JSON schemas are derived from the table.
type Setting struct {
	// Name is the name of the field in JSON.
	Name string
	// Commands are the commands that have the setting's flag.
	Commands Commands
	// Optional settings may be missing from a spec.
	Optional bool

	usage string // the placeholder of the value is in backquotes
	def   string // the default, in words
	valueKind
}

// Commands is a set of commands with flags for settings.
type Commands uint8

// The commands.
const (
	OnRender Commands = 1 << iota
	OnChunk           // the command of a partition: helios render --chunk
	OnStill
	OnInspect
	OnMerge
	OnAudio

	onPage  = OnRender | OnChunk | OnStill | OnInspect
	onVideo = OnRender | OnChunk | OnMerge
)

const (
	maxSide   = 16384
	maxFrames = 1<<53 - 1 // the largest integer that JSON numbers represent exactly
)

// settings is the table of settings, in the order of help texts and commands. Its columns are the name, the commands,
// whether the setting is optional, the usage, the default, and the kind of values.
var settings = []Setting{
	{"input", 0, false, "composition: an HTML file, a folder with an index.html, or a URL", "",
		text(pathSchema, func(c *Config) *string { return &c.Input })},
	{"output", 0, false, "file that merge writes", "output.mp4",
		text(pathSchema, func(c *Config) *string { return &c.Output })},

	{"width", onPage, false, "width of the page in CSS `pixels`", "the page's data-width, or 1920",
		integer(1, maxSide, func(c *Config) *int { return &c.Width })},
	{"height", onPage, false, "height of the page in CSS `pixels`", "the page's data-height, or 1080",
		integer(1, maxSide, func(c *Config) *int { return &c.Height })},
	{"scale", onPage, false, "`pixels` per CSS pixel in each direction, such as 0.5 or 2", "1",
		number(0.5, 8, func(c *Config) *float64 { return &c.Scale })},
	{"fps", onPage | OnAudio, false, "frame `rate`, 1/60 to 1000: 30, 29.97 or 30000/1001", "the page's data-fps, or 30",
		frameRate(func(c *Config) *Rate { return &c.FPS })},
	{"seed", onPage, false, "`number` that seeds Math.random in the page", "0",
		integer(0, 1<<32-1, func(c *Config) *uint32 { return &c.Seed })},
	{"props", onPage, true, "JSON `object` for the page's window.__HELIOS_PROPS__", "",
		object(func(c *Config) *json.RawMessage { return &c.Props })},
	{"timeout", onPage, false, "maximum time, in `seconds`, for loading the page and for each frame", "30",
		seconds(3600, func(c *Config) *Seconds { return &c.Timeout })},

	{"duration", OnRender, false, "length of the output in `seconds`: 2, 0.5 or 1m30s", "the page's data-duration",
		seconds(int64(MaxLength.Seconds()), func(c *Config) *Seconds { return &c.Duration })},
	{"frameCount", OnRender | OnAudio, false, "length of the output in `frames`; overrides the duration", "",
		integer(1, maxFrames, func(c *Config) *int64 { return &c.FrameCount })},
	{"startFrame", OnRender | OnAudio, false,
		"first `frame` of the output, counted from the start of the composition", "0",
		integer(0, maxFrames, func(c *Config) *int64 { return &c.StartFrame })},

	{"format", onVideo, false, "file `format`", "that of the output's suffix",
		enum(func(c *Config) *Format { return &c.Format }, MP4, MOV, WebM, GIF, WebP, APNG, PNG, JPEG)},
	{"videoCodec", onVideo, false, "ffmpeg `encoder` for the video", "that of the format",
		text(nameSchema, func(c *Config) *string { return &c.VideoCodec })},
	{"preset", onVideo, false, "trade-off between `speed` and size, such as ultrafast, veryfast or medium",
		"that of the encoder", text(nameSchema, func(c *Config) *string { return &c.Preset })},
	{"quality", onVideo, false,
		"quality parameter of the encoder, usually a `CRF`: 0 is lossless for libx264, 51 the worst",
		"that of the encoder", integerOrNil(0, 100, func(c *Config) **int { return &c.Quality })},
	{"bitrate", onVideo, true, "average `bits` per second of the video, instead of a quality", "",
		bitRate("8M", func(c *Config) *int64 { return &c.Bitrate })},
	{"gop", onVideo, true, "maximum number of `frames` between key frames", "two seconds",
		integerOrZero(1, 100_000, func(c *Config) *int { return &c.GOP })},
	{"bitDepth", onVideo, true, "`bits` per colour channel", "that of the encoder",
		bitDepth(func(c *Config) *int { return &c.BitDepth })},
	{"loop", OnRender | OnMerge, true, "number of `times` that a GIF, WebP or APNG plays", "endless",
		integerOrZero(1, 65535, func(c *Config) *int { return &c.Loop })},

	{"audioCodec", OnRender | OnChunk | OnAudio, false, "ffmpeg `encoder` for the sound", "that of the format",
		text(nameSchema, func(c *Config) *string { return &c.AudioCodec })},
	{"audioBitrate", OnRender | OnAudio, true, "`bits` per second of the sound", "that of the encoder",
		bitRate("192k", func(c *Config) *int64 { return &c.AudioBitrate })},
	{"loudness", OnRender | OnAudio, true, "normalize the sound to this integrated loudness in `LUFS`, such as -14", "",
		number(-70, -5, func(c *Config) *float64 { return &c.Loudness })},

	{"seekMode", OnRender | OnChunk | OnStill, false, "`mode` in which the page reaches the first frame", "auto",
		enumOrAuto(func(c *Config) *SeekMode { return &c.SeekMode }, SeekReplay, SeekDirect)},
	{"capture", OnRender | OnChunk, false, "capture `mode` (stream requires opaque 8-bit 4:2:0 output of even size)",
		"auto", enumOrAuto(func(c *Config) *Capture { return &c.Capture }, CaptureStream, CaptureScreenshot)},
	{"transparent", OnRender | OnChunk | OnStill, true, "keep the background transparent, in formats that support it", "",
		boolean(func(c *Config) *bool { return &c.Transparent })},
	{"allowMissingAssets", OnRender | OnChunk | OnStill, true,
		"warn about missing images, fonts and scripts instead of failing", "",
		boolean(func(c *Config) *bool { return &c.AllowMissingAssets })},
}

// Settings returns the settings that have a flag on any of the commands.
func Settings(on Commands) []Setting {
	return slices.DeleteFunc(slices.Clone(settings), func(s Setting) bool { return s.Commands&on == 0 })
}

// Args returns the arguments that pass the non-zero settings of a config to the commands.
func Args(c *Config, on Commands) (args []string) {
	for _, s := range Settings(on) {
		switch v := s.Value(c); {
		case v.String() == "":
		case v.Type() == "bool":
			args = append(args, "--"+s.Flag())
		default:
			args = append(args, "--"+s.Flag(), v.String())
		}
	}
	return args
}

var capital = regexp.MustCompile("[A-Z]")

// FlagName returns the name of the flag for a field: "video-codec" for "videoCodec".
func FlagName(field string) string { return strings.ToLower(capital.ReplaceAllString(field, "-$0")) }

// Flag returns the name of the setting's flag.
func (s Setting) Flag() string { return FlagName(s.Name) }

// Choices returns the possible values of the setting if they are a fixed list.
func (s Setting) Choices() []string { return s.choices }

// Value returns the setting's value in a config.
func (s Setting) Value(c *Config) Value { return s.value(c) }

// Usage returns the help text of the setting's flag. It lists choices, the possible values.
func (s Setting) Usage(choices []string) string {
	usage := s.usage + s.hint
	if len(choices) > 0 {
		usage += ": " + either(choices)
	}
	if s.def != "" {
		usage += " (default: " + s.def + ")"
	}
	return usage
}

// either joins words to a text such as "a, b or c".
func either(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// SchemaProperties returns the properties of the JSON Schema of a [Config], without the braces around them and without
// the named settings. If options is true, it returns the schema of the options of a plan, in which settings have
// defaults and modes can be "auto".
func SchemaProperties(options bool, without ...string) string {
	var list []string
	for _, s := range settings {
		if slices.Contains(without, s.Name) {
			continue
		}
		text := strings.ReplaceAll(s.usage, "`", "")
		text = strings.ToUpper(text[:1]) + text[1:] + "."
		schema := s.schema
		if options {
			if s.def != "" {
				text += " Default: " + s.def + "."
			}
			if s.auto {
				schema = strings.Replace(schema, "[", `["auto", `, 1)
			}
		}
		list = append(list, fmt.Sprintf(`%q: {"description": %q, %s}`, s.Name, text, schema))
	}
	return strings.Join(list, ",\n")
}

// required returns the names of the settings that every spec contains, as JSON.
func required() string {
	var names []string
	for _, s := range settings {
		if !s.Optional {
			names = append(names, s.Name)
		}
	}
	list, err := json.Marshal(names)
	if err != nil {
		panic(err) // strings are JSON
	}
	return string(list)
}
