package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// probeStreams decodes what ffprobe reports about the streams of a file into value. It returns the name of the file
// for ffmpeg.
func probeStreams(ts *testscript.TestScript, name string, value any) (file string) {
	file = "file:" + ts.MkAbs(name)
	out, err := exec.Command("ffprobe", "-v", "error", "-show_streams", "-of", "json", file).Output()
	ts.Check(err)
	ts.Check(json.Unmarshal(out, value))
	return file
}

// scriptAudio checks properties of the sound of a file as ffprobe and ffmpeg report them:
//
//	audio out.mp4 streams=2 codec=aac length=144000 peak=96000 level=0.5
//
// Length and peak count samples at 48 kHz. Peak is the position of the loudest sample, within 1; level is its
// absolute value, within 0.02.
func scriptAudio(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: audio FILE KEY=VALUE...")
	}
	var found struct {
		Streams []struct {
			Type  string `json:"codec_type"`
			Codec string `json:"codec_name"`
			Ticks int64  `json:"duration_ts"`
			Base  string `json:"time_base"`
			Rate  string `json:"sample_rate"`
		}
	}
	file := probeStreams(ts, args[0], &found)
	properties := map[string]string{"streams": strconv.Itoa(len(found.Streams))}
	for _, s := range found.Streams {
		if s.Type != "audio" {
			continue
		}
		length, _ := new(big.Rat).SetString(s.Base)
		length.Mul(length, big.NewRat(s.Ticks*48000, 1))
		properties["codec"], properties["length"], properties["rate"] = s.Codec, length.RatString(), s.Rate
	}
	if properties["codec"] != "" {
		raw, err := exec.Command("ffmpeg", "-v", "error", "-i", file,
			"-map", "0:a", "-ac", "2", "-f", "f32le", "-").Output()
		ts.Check(err)
		peak, level := 0, 0.0
		for i := 0; i+8 <= len(raw); i += 8 {
			v := math.Abs(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:]))))
			if v > level {
				peak, level = i/8, v
			}
		}
		properties["peak"], properties["level"] = strconv.Itoa(peak), fmt.Sprintf("%.3f", level)
		properties["samples"] = strconv.Itoa(len(raw) / 8)
	}
	tolerance := map[string]float64{"peak": 1, "level": 0.02}
	for _, arg := range args[1:] {
		key, want, _ := strings.Cut(arg, "=")
		number, err := strconv.ParseFloat(want, 64)
		got, errGot := strconv.ParseFloat(properties[key], 64)
		if err == nil && errGot == nil && math.Abs(got-number) <= tolerance[key] {
			continue
		}
		if properties[key] != want {
			ts.Fatalf("%s: %s is %q, want %s; properties: %v", args[0], key, properties[key], want, properties)
		}
	}
}
