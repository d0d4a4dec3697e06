package video

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/process"
)

// safeInput are options that restrict ffmpeg to local media files.
var safeInput = []string{
	"-protocol_whitelist", "file",
	"-format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,ogg,avi,mpegts,mpeg,flv,gif,apng,mp3,wav,flac,aac,aiff," +
		"asf,ivf,w64,caf",
}

// ffprobeOutput is the JSON output of ffprobe.
type ffprobeOutput struct {
	Format struct {
		Start    string `json:"start_time"`
		Duration string
	}
	Streams []struct {
		Codec       string `json:"codec_name"`
		Width       int
		Height      int
		PixelFormat string `json:"pix_fmt"`
		AspectRatio string `json:"sample_aspect_ratio"`
		TimeBase    string `json:"time_base"`
		Matrix      string `json:"color_space"`
		Range       string `json:"color_range"`
		Disposition struct {
			AttachedPicture int `json:"attached_pic"`
		}
		Tags     map[string]string
		SideData []sideData `json:"side_data_list"`
	}
	Packets []struct {
		PTS      *int64
		Duration int64
		Flags    string
	}
	Frames []struct {
		PTS *int64 `json:"best_effort_timestamp"`
	}
}

type sideData struct{ Rotation float64 }

// ffprobe returns the properties of a file and of its first video stream. entries selects the fields of its packets or
// frames.
func ffprobe(ctx context.Context, path, entries string) (out ffprobeOutput, err error) {
	program, err := ffmpeg.FindProbe()
	if err != nil {
		return out, err
	}
	sections := []string{
		"format=start_time,duration",
		"stream=codec_name,width,height,pix_fmt,sample_aspect_ratio,time_base,color_space,color_range",
		"stream_disposition=attached_pic", "stream_tags", "stream_side_data=rotation", entries,
	}
	args := append([]string{"-v", "error"}, safeInput...)
	args = append(args, "-select_streams", "v:0", "-show_entries", strings.Join(sections, ":"), "-of", "json",
		"file:"+path)
	var stdout bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout = &stdout
	p, err := process.Start(cmd)
	if err != nil {
		return out, fmt.Errorf("starting %s: %w", program, err)
	}
	defer context.AfterFunc(ctx, p.Kill)()
	err = p.Wait()
	switch {
	case ctx.Err() != nil:
		return out, context.Cause(ctx)
	case err != nil && p.Killed():
		return out, fault.Transientf("ffprobe was killed")
	case err != nil:
		return out, fault.Userf("ffmpeg cannot read it: %s", strings.TrimPrefix(p.LastLine(), "file:"+path+": "))
	}
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
		return out, fmt.Errorf("decoding the output of ffprobe: %w", err)
	}
	return out, nil
}
