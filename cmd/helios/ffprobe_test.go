package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"strings"
)

// probe returns properties of an MP4 or MOV file without sound. It fails unless the colours are BT.709, the video
// starts at 0 and lasts exactly its number of frames, and moov comes before mdat, so that it plays while it loads.
func probe(file string) (map[string]string, error) {
	out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json",
		"file:"+file).Output()
	if err != nil {
		return nil, fmt.Errorf("ffprobe: %w", err)
	}
	var found struct {
		Streams []struct {
			Codec     string `json:"codec_name"`
			Width     int
			Height    int
			Rate      string `json:"r_frame_rate"`
			Frames    string `json:"nb_read_frames"`
			Ticks     int64  `json:"duration_ts"`
			Base      string `json:"time_base"`
			Start     int64  `json:"start_pts"`
			Range     string `json:"color_range"`
			Space     string `json:"color_space"`
			Transfer  string `json:"color_transfer"`
			Primaries string `json:"color_primaries"`
		}
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, err
	}
	if len(found.Streams) != 1 {
		return nil, fmt.Errorf("%d streams, want 1", len(found.Streams))
	}
	s := found.Streams[0]
	colours := strings.Join([]string{s.Range, s.Space, s.Transfer, s.Primaries}, " ")
	if colours != "tv bt709 bt709 bt709" {
		return nil, fmt.Errorf("the colours are %s", colours)
	}
	if s.Start != 0 {
		return nil, fmt.Errorf("it starts at %d", s.Start)
	}
	frames, _ := new(big.Rat).SetString(s.Frames)
	rate, _ := new(big.Rat).SetString(s.Rate)
	base, _ := new(big.Rat).SetString(s.Base)
	length := base.Mul(base, new(big.Rat).SetInt64(s.Ticks))
	if want := new(big.Rat).Quo(frames, rate); length.Cmp(want) != 0 {
		return nil, fmt.Errorf("it lasts %s s, want %s s", length.RatString(), want.RatString())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if moov, mdat := bytes.Index(data, []byte("moov")), bytes.Index(data, []byte("mdat")); moov < 0 || mdat < moov {
		return nil, fmt.Errorf("moov is at byte %d, after mdat at %d", moov, mdat)
	}
	return map[string]string{
		"frames": s.Frames, "rate": s.Rate, "size": fmt.Sprintf("%dx%d", s.Width, s.Height), "codec": s.Codec,
	}, nil
}

// frameDigests returns the digests of all decoded frames of a file, one per line.
func frameDigests(file string) (string, error) {
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", "file:"+file, "-f", "framemd5", "-").Output()
	if err != nil {
		return "", fmt.Errorf("reading the frames of %s: %w", file, err)
	}
	if !bytes.Contains(out, []byte("\n0,")) {
		return "", fmt.Errorf("%s has no frames", file)
	}
	return string(out), nil
}
