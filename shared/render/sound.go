package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"helios/shared/addr"
	"helios/shared/audio"
	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/store"
	"helios/shared/tempfile"
)

// checkSources returns a user error if the file of a track does not exist.
func checkSources(tracks []job.Track, sources store.Dir) error {
	for _, t := range tracks {
		if addr.IsRemote(t.Source) {
			continue
		}
		if info, err := os.Stat(sources.Path(t.Source)); errors.Is(err, fs.ErrNotExist) {
			return fault.Userf("the audio file %s does not exist; add it, or remove the track", t.Source)
		} else if err != nil {
			return fault.Userf("opening the audio file: %w", err)
		} else if !info.Mode().IsRegular() {
			return fault.Userf("the audio source %s is not a regular file", t.Source)
		}
	}
	return nil
}

// SoundOptions are the tracks to mix, and where to write the sound.
type SoundOptions struct {
	// Config is the config of the job.
	Config job.Config
	Tracks []job.Track
	// Composition determines which addresses remote sources may have: the same ones that its page may access.
	Composition capture.Composition
	// Sources is the folder to which local sources are relative.
	Sources store.Dir
	// Output is the file to write. Its suffix selects the container.
	Output string
	// Overwrite lets the output replace an existing file.
	Overwrite bool
}

// MixSound mixes the tracks of a job and encodes them to a file.
func MixSound(ctx context.Context, o SoundOptions) error {
	if err := CheckOutput(o.Output, o.Overwrite); err != nil {
		return err
	}
	if err := checkSources(o.Tracks, o.Sources); err != nil {
		return err
	}
	dir, err := tempfile.MkdirTemp("")
	if err != nil {
		return fmt.Errorf("creating a folder for the sound: %w", err)
	}
	defer dir.Remove()
	tracks, err := o.localTracks(ctx, dir.Path())
	if err != nil {
		return err
	}
	if err := tempfile.RemovePartials(o.Output); err != nil {
		return fault.Userf("removing the partial files of %s: %w", o.Output, err)
	}
	w, err := store.Dir("").CreateFile(o.Output)
	if err != nil {
		return fault.Userf("writing %s: %w", o.Output, err)
	}
	defer w.Abort()
	c := o.Config
	err = audio.Mix(ctx, audio.Options{
		Tracks: tracks, FPS: c.FPS, StartFrame: c.StartFrame, FrameCount: c.FrameCount,
		Codec: c.AudioCodec, Container: strings.TrimPrefix(filepath.Ext(o.Output), "."),
		Bitrate: c.AudioBitrate, Loudness: c.Loudness,
	}, w.Name())
	if err != nil {
		return err
	}
	return commit(w, store.Dir(""), o.Output, o.Overwrite)
}

// localTracks returns the tracks with local files as their sources. It downloads remote sources to dir, each once.
func (o *SoundOptions) localTracks(ctx context.Context, dir string) ([]job.Track, error) {
	tracks := slices.Clone(o.Tracks)
	downloaded := map[string]string{}
	for i := range tracks {
		source := tracks[i].Source
		if !addr.IsRemote(source) {
			tracks[i].Source = o.Sources.Path(source)
			continue
		}
		if downloaded[source] == "" {
			file := filepath.Join(dir, strconv.Itoa(i))
			if err := download(ctx, o.Composition, source, file); err != nil {
				return nil, fmt.Errorf("downloading %s: %w", source, err)
			}
			downloaded[source] = file
		}
		tracks[i].Source = downloaded[source]
	}
	return tracks, nil
}

// download copies a URL to a file.
func download(ctx context.Context, c capture.Composition, url, file string) error {
	bucket, key, ok := addr.SplitS3(url)
	if !ok {
		return browser.Download(ctx, c.BrowserOptions(1), url, file)
	}
	s, err := store.OpenS3(ctx, bucket, "")
	if err != nil {
		return err
	}
	defer s.CloseIdleConnections()
	w, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(store.Get(ctx, s, key, w), w.Close())
}
