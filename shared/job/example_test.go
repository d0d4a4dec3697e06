package job_test

import (
	"fmt"
	"os"
	"time"

	"helios/shared/job"
)

func ExampleParse() {
	data, err := os.ReadFile("testdata/job.json")
	if err != nil {
		panic(err)
	}
	spec, err := job.Parse(data)
	if err != nil {
		panic(err)
	}
	for _, p := range spec.Partitions {
		fmt.Printf("frames %d to %d: %s\n", p.StartFrame, p.StartFrame+p.FrameCount-1, p.OutputFile)
	}
	fmt.Println(spec.Merge.Command)
	// Output:
	// frames 100 to 107: intro.0000.mp4
	// frames 108 to 114: intro.0001.mp4
	// helios merge intro.mp4 intro.0000.mp4 intro.0001.mp4
}

func ExampleParse_error() {
	_, err := job.Parse([]byte(`{"version": 1, "jobId": "intro", "config": {}, "partitions": [], "merge": {}}`))
	fmt.Println(err)
	// Output:
	// config.audioCodec: is missing
}

func ExampleSettings() {
	for _, s := range job.Settings(job.OnAudio) {
		fmt.Printf("--%s: %s\n", s.Flag(), s.Usage(s.Choices()))
	}
	// Output:
	// --fps: frame `rate`, 1/60 to 1000: 30, 29.97 or 30000/1001 (default: the page's data-fps, or 30)
	// --frame-count: length of the output in `frames`; overrides the duration
	// --start-frame: first `frame` of the output, counted from the start of the composition (default: 0)
	// --audio-codec: ffmpeg `encoder` for the sound (default: that of the format)
	// --audio-bitrate: `bits` per second of the sound (such as 192k) (default: that of the encoder)
	// --loudness: normalize the sound to this integrated loudness in `LUFS`, such as -14
}

func ExampleArgs() {
	c := job.Config{AudioCodec: "aac", AudioBitrate: 192_000, FPS: job.Rate{Num: 30, Den: 1}, FrameCount: 300}
	fmt.Println(job.Command(append([]string{"helios", "audio", "my sound.m4a"}, job.Args(&c, job.OnAudio)...)...))
	// Output:
	// helios audio 'my sound.m4a' --fps 30 --frame-count 300 --audio-codec aac --audio-bitrate 192000
}

func ExampleParseRate() {
	for _, text := range []string{"30", "29.97", "25/2"} {
		rate, err := job.ParseRate(text)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s is %s\n", text, rate)
	}
	// Output:
	// 30 is 30
	// 29.97 is 30000/1001
	// 25/2 is 25/2
}

func ExampleFrames() {
	ntsc := job.Rate{Num: 30000, Den: 1001}
	fmt.Println(job.Frames(job.SecondsOf(1001*time.Second), ntsc))
	fmt.Println(job.Frames(job.SecondsOf(100*time.Millisecond), ntsc))
	// Output:
	// 30000
	// 3
}

func ExampleParseTrack() {
	t, err := job.ParseTrack("music.mp3@1.5,volume=0.5,loop")
	if err != nil {
		panic(err)
	}
	fmt.Println(t.Source, t.Offset, t.Volume, t.Loop)
	// Output:
	// music.mp3 1.5 0.5 true
}
