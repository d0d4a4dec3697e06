package plan_test

import (
	"fmt"
	"time"

	"helios/shared/job"
	"helios/shared/plan"
)

func ExampleNew() {
	spec, err := plan.New(plan.Options{
		Config:      job.Config{Input: "intro.html", Output: "intro.mp4", FrameCount: 100},
		Concurrency: 3,
	})
	if err != nil {
		panic(err)
	}
	for _, p := range spec.Partitions {
		fmt.Println(p.StartFrame, p.FrameCount, p.OutputFile)
	}
	fmt.Println(spec.Config.VideoCodec, spec.Config.FPS)
	// Output:
	// 0 34 intro.0000.mp4
	// 34 34 intro.0001.mp4
	// 68 32 intro.0002.mp4
	// libx264 30
}

func ExampleNew_error() {
	_, err := plan.New(plan.Options{Config: job.Config{Input: "intro.html", Output: "intro.mkv", FrameCount: 100}})
	fmt.Println(err)
	// Output:
	// output: .mkv is not supported; use .mp4, .mov, .webm, .gif, .webp, .apng or .zip, or a folder with a slash at the end
}

func ExamplePartitions() {
	c := job.Config{FrameCount: 18_000}
	pace := plan.Pace{Frame: 100 * time.Millisecond}
	n, err := plan.Partitions(c, pace, time.Minute, 14*time.Minute)
	if err != nil {
		panic(err)
	}
	fmt.Println(n, "partitions of one minute")
	// Output:
	// 30 partitions of one minute
}
