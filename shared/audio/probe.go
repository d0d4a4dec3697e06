package audio

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"

	"helios/shared/ffmpeg"
)

// protocols and demuxers restrict what ffmpeg opens: local files, in formats that contain the sound themselves. A
// playlist could refer to any file of the machine.
const (
	protocols = "file,pipe"
	demuxers  = "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,dtshd,dv,eac3,flac,flv,gxf,loas,matroska," +
		"mlp,mov,mp3,mp4,mpc,mpc8,mpeg,mpegts,mxf,nut,oga,ogg,oma,rm,shn,truehd,tta,voc,w64,wav,webm,wtv,wv"
)

// HasSound reports whether a media file has sound. It fails if the file is not a media file.
func HasSound(ctx context.Context, file string) (bool, error) {
	silent, err := isSilent(ctx, file)
	return err == nil && !silent, err
}

// isSilent reports whether a file is a media file without sound.
func isSilent(ctx context.Context, file string) (bool, error) {
	path, err := ffmpeg.FindProbe()
	if err != nil {
		return false, err
	}
	var out bytes.Buffer
	cmd := exec.Command(path, "-v", "error", "-protocol_whitelist", protocols, "-format_whitelist", demuxers,
		"-show_entries", "stream=codec_type", "-of", "json", "file:"+file)
	cmd.Stdout = &out
	if err := ffmpeg.Run(ctx, cmd); err != nil {
		return false, err
	}
	var probed struct {
		Streams []struct {
			Type string `json:"codec_type"`
		}
	}
	if err := json.Unmarshal(out.Bytes(), &probed); err != nil {
		return false, fmt.Errorf("parsing ffprobe's output for %s: %w", file, err)
	}
	for _, s := range probed.Streams {
		if s.Type == "audio" {
			return false, nil
		}
	}
	return len(probed.Streams) > 0, nil
}
