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

// streams reads what ffprobe says of a file's streams into a value, and returns what ffmpeg opens the file by.
func streams(ts *testscript.TestScript, name string, into any) (file string) {
	file = "file:" + ts.MkAbs(name)
	out, err := exec.Command("ffprobe", "-v", "error", "-show_streams", "-of", "json", file).Output()
	ts.Check(err)
	ts.Check(json.Unmarshal(out, into))
	return file
}

// scriptSound checks what the sound of a file is, as ffprobe and ffmpeg see it. Lengths and places are in samples
// at 48 kHz. The click is the loudest sample on the left, which may be off by one; loud is its value, which may be
// off by a fiftieth.
//
//	sound out.mp4 streams=2 codec=aac length=144000 click=96000 loud=0.5
func scriptSound(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sound FILE KEY=VALUE...")
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
	file := streams(ts, args[0], &found)
	is := map[string]string{"streams": strconv.Itoa(len(found.Streams))}
	for _, s := range found.Streams {
		if s.Type != "audio" {
			continue
		}
		length, _ := new(big.Rat).SetString(s.Base)
		length.Mul(length, big.NewRat(s.Ticks*48000, 1))
		is["codec"], is["length"], is["rate"] = s.Codec, length.RatString(), s.Rate
	}
	if is["codec"] != "" {
		raw, err := exec.Command("ffmpeg", "-v", "error", "-i", file, "-map", "0:a", "-ac", "2", "-f", "f32le", "-").Output()
		ts.Check(err)
		click, loud := 0, 0.0
		for i := 0; i+8 <= len(raw); i += 8 {
			if v := math.Abs(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:])))); v > loud {
				click, loud = i/8, v
			}
		}
		is["click"], is["loud"], is["samples"] = strconv.Itoa(click), fmt.Sprintf("%.3f", loud), strconv.Itoa(len(raw)/8)
	}
	tolerance := map[string]float64{"click": 1, "loud": 0.02}
	for _, arg := range args[1:] {
		key, want, _ := strings.Cut(arg, "=")
		number, err := strconv.ParseFloat(want, 64)
		got, errGot := strconv.ParseFloat(is[key], 64)
		if err == nil && errGot == nil && math.Abs(got-number) <= tolerance[key] {
			continue
		}
		if is[key] != want {
			ts.Fatalf("%s: %s is %q, want %s; it is %v", args[0], key, is[key], want, is)
		}
	}
}
