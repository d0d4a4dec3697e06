package stitch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"

	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
	"helios/shared/stitch/webm"
	"helios/shared/store"
)

// Join two MP4 files.
func Example_mp4() {
	ctx := context.Background()
	st, remove := encodeChunks("libx264", "0.mp4", "1.mp4")
	defer remove()

	w, err := st.Create(ctx, "out.mp4")
	if err != nil {
		log.Fatal(err)
	}
	defer w.Abort()
	chunks := []stitch.Chunk{{Name: "0.mp4", Frames: 12}, {Name: "1.mp4", Frames: 12}}
	if _, err := mp4.Write(ctx, w, st, chunks, stitch.Options{Comment: "two chunks"}); err != nil {
		log.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		log.Fatal(err)
	}

	info, err := mp4.Probe(ctx, st, "out.mp4")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d frames of %dx%d, %s\n", info.Frames, info.Width, info.Height, info.Codec)
	fmt.Printf("%d frames per second\n", info.Timescale/info.FrameDuration)
	fmt.Println(info.Comment)
	// Output:
	// 24 frames of 64x36, avc1
	// 30 frames per second
	// two chunks
}

// Join two WebM files, after a check of each one.
func Example_webm() {
	ctx := context.Background()
	st, remove := encodeChunks("libvpx-vp9", "0.webm", "1.webm")
	defer remove()

	accept := func(c stitch.Chunk, info stitch.Info) error {
		fmt.Printf("%s: %d frames\n", c.Name, info.Frames)
		return nil
	}
	chunks := []stitch.Chunk{{Name: "0.webm"}, {Name: "1.webm"}}
	opts := webm.Options{Options: stitch.Options{Accept: accept}}
	info, err := webm.Write(ctx, io.Discard, st, chunks, opts)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("output: %d frames of %dx%d, %s, %s frames per second\n",
		info.Frames, info.Width, info.Height, info.Codec, info.FPS)
	// Output:
	// 0.webm: 12 frames
	// 1.webm: 12 frames
	// output: 24 frames of 64x36, V_VP9, 30 frames per second
}

// A ChunkError names the chunk and the reason.
func ExampleChunkError() {
	ctx := context.Background()
	st, remove := encodeChunks("libx264", "0.mp4")
	defer remove()

	for _, second := range []stitch.Chunk{{Name: "0.mp4"}, {Name: "1.mp4"}} {
		chunks := []stitch.Chunk{{Name: "0.mp4", Frames: 12}, second}
		_, err := mp4.Write(ctx, io.Discard, st, chunks, stitch.Options{})
		var e *stitch.ChunkError
		if errors.As(err, &e) {
			fmt.Printf("%s, missing: %t\n", e, e.Kind == stitch.Missing)
		}
	}
	// Output:
	// 0.mp4 is listed twice, missing: false
	// 1.mp4 is missing, missing: true
}

// encodeChunks encodes files of 12 frames in a new folder. It returns the store of the folder, and a function that
// removes it.
func encodeChunks(codec string, names ...string) (st store.Store, remove func()) {
	dir, err := os.MkdirTemp("", "stitch-example-")
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range names {
		cmd := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=30",
			"-frames:v", "12", "-pix_fmt", "yuv420p", "-c:v", codec, filepath.Join(dir, name))
		if out, err := cmd.CombinedOutput(); err != nil {
			log.Fatalf("ffmpeg: %v\n%s", err, out)
		}
	}
	return store.Dir(dir), func() { os.RemoveAll(dir) }
}
