package render

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"helios/shared/job"
)

// probed is the output of ffprobe.
type probed struct {
	Streams []struct {
		CodecName      string `json:"codec_name"`
		CodecTag       string `json:"codec_tag_string"`
		Width, Height  int
		PixFmt         string `json:"pix_fmt"`
		ColorRange     string `json:"color_range"`
		ColorSpace     string `json:"color_space"`
		ColorTransfer  string `json:"color_transfer"`
		ColorPrimaries string `json:"color_primaries"`
		RFrameRate     string `json:"r_frame_rate"`
		AvgFrameRate   string `json:"avg_frame_rate"`
		TimeBase       string `json:"time_base"`
		StartTime      string `json:"start_time"`
		DurationTS     int64  `json:"duration_ts"`
		NbFrames       string `json:"nb_frames"`
		NbReadFrames   string `json:"nb_read_frames"`
	}
	Format struct {
		NbStreams int    `json:"nb_streams"`
		Duration  string `json:"duration"`
	}
	Packets []struct {
		PTS      int64  `json:"pts"`
		DTS      int64  `json:"dts"`
		Duration int64  `json:"duration"`
		Flags    string `json:"flags"`
	}
}

func TestOutputIsCompatible(t *testing.T) {
	const frames = 130 // more than two GOPs
	for codec, rate := range map[string]string{"libx264": "30000/1001", "libx265": "30"} {
		t.Run(codec+" "+rate, func(t *testing.T) {
			fps, err := job.ParseRate(rate)
			if err != nil {
				t.Fatal(err)
			}
			o := small(composition(t, counting))
			o.Quality = nil
			o.VideoCodec, o.FPS, o.FrameCount, o.Concurrency = codec, fps, frames, 3
			video := run(t, jobOf(t, o))

			var p probed
			text := tool(t, "ffprobe", "-v", "error", "-count_frames", "-of", "json",
				"-show_streams", "-show_format", "-show_packets", video)
			if err := json.Unmarshal([]byte(text), &p); err != nil {
				t.Fatal(err)
			}
			s := p.Streams[0]
			count := fmt.Sprint(frames)
			if p.Format.NbStreams != 1 || s.NbFrames != count || s.NbReadFrames != count || len(p.Packets) != frames {
				t.Errorf("%d streams, %s frames, %d packets, %s decoded frames; want 1 stream and %d frames",
					p.Format.NbStreams, s.NbFrames, len(p.Packets), s.NbReadFrames, frames)
			}
			if s.Width != 160 || s.Height != 90 || s.PixFmt != "yuv420p" || s.ColorRange != "tv" ||
				s.ColorSpace != "bt709" || s.ColorTransfer != "bt709" || s.ColorPrimaries != "bt709" {
				t.Errorf("the video stream is %+v", s)
			}
			want := map[string][2]string{"libx264": {"h264", "avc1"}, "libx265": {"hevc", "hvc1"}}[codec]
			if s.CodecName != want[0] || s.CodecTag != want[1] {
				t.Errorf("the codec is %s, %s, want %s", s.CodecName, s.CodecTag, want)
			}
			if want := fmt.Sprintf("%d/%d", fps.Num, fps.Den); s.RFrameRate != want || s.AvgFrameRate != want {
				t.Errorf("the frame rate is %s, the average %s, want %s", s.RFrameRate, s.AvgFrameRate, want)
			}

			scale, err := strconv.ParseInt(s.TimeBase[2:], 10, 64)
			if err != nil || scale%fps.Num != 0 {
				t.Fatalf("the time base is %s", s.TimeBase)
			}
			tick := scale * fps.Den / fps.Num // the duration of a frame
			if s.DurationTS != frames*tick || s.StartTime != "0.000000" {
				t.Errorf("the video starts at %s and lasts %d ticks, want 0 and %d", s.StartTime, s.DurationTS, frames*tick)
			}
			shown := map[int64]bool{}
			for i, packet := range p.Packets {
				if packet.Duration != tick || i > 0 && packet.DTS != p.Packets[i-1].DTS+tick || packet.PTS < packet.DTS {
					t.Errorf("packet %d is %+v, want one every %d ticks", i, packet, tick)
				}
				shown[packet.PTS] = true
			}
			for n := range int64(frames) {
				if !shown[n*tick] {
					t.Errorf("no frame has the timestamp %d/%s s", n, rate)
				}
			}
			checkFastStart(t, read(t, video))
			checkKeyframes(t, video, p, scale, tick)
		})
	}
}

// checkFastStart checks that a player can start before it has the whole file.
func checkFastStart(t *testing.T, file []byte) {
	t.Helper()
	var order []string
	for rest := file; len(rest) >= 8; {
		size := uint64(binary.BigEndian.Uint32(rest))
		order = append(order, string(rest[4:8]))
		if size == 1 && len(rest) >= 16 {
			size = binary.BigEndian.Uint64(rest[8:])
		}
		if size < 8 || size > uint64(len(rest)) {
			t.Errorf("a box has %d bytes, but only %d are left", size, len(rest))
			return
		}
		rest = rest[size:]
	}
	if len(order) < 3 || order[0] != "ftyp" || order[1] != "moov" || !slices.Contains(order, "mdat") {
		t.Errorf("the boxes are %s, want ftyp, moov, mdat", order)
	}
}

// checkKeyframes checks that decoding from any key frame gives the same frames as decoding from the start.
func checkKeyframes(t *testing.T, video string, p probed, scale, tick int64) {
	t.Helper()
	all := hashes(t, video)
	keys := 0
	for _, packet := range p.Packets {
		if packet.Flags[0] != 'K' {
			continue
		}
		keys++
		n := packet.PTS / tick
		// Slightly later, so that rounding does not select the previous key frame.
		from := fmt.Sprintf("%.6f", float64(packet.PTS)/float64(scale)+0.001)
		tail := hashes(t, video, "-noaccurate_seek", "-ss", from)
		if fmt.Sprint(tail) != fmt.Sprint(all[n:]) {
			t.Errorf("decoding from key frame %d gives %d frames, want the last %d", n, len(tail), len(all[n:]))
		}
	}
	if keys < 3 {
		t.Errorf("the video has only %d key frames, want 3", keys)
	}
}
