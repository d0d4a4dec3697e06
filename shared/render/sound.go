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

// checkSources refuses tracks whose files are not there.
func checkSources(tracks []job.Track, sources store.Dir) error {
	for _, t := range tracks {
		if addr.IsRemote(t.Source) {
			continue
		}
		if info, err := os.Stat(sources.Path(t.Source)); errors.Is(err, fs.ErrNotExist) {
			return fault.Userf("the sound %s does not exist; put it in place, or leave it out", t.Source)
		} else if err != nil {
			return fault.Userf("opening the sound: %w", err)
		} else if !info.Mode().IsRegular() {
			return fault.Userf("the sound %s is no file", t.Source)
		}
	}
	return nil
}

// Sound mixes the tracks of a job and encodes them into the file output, whose suffix says in what kind of file.
// Sources are files relative to a folder, or addresses, which are fetched by the rules for the composition's
// page.
func Sound(ctx context.Context, config job.Config, tracks []job.Track, c capture.Composition, sources store.Dir, output string, overwrite bool) error {
	if err := CheckOutput(output, overwrite); err != nil {
		return err
	}
	if err := checkSources(tracks, sources); err != nil {
		return err
	}
	dir, err := tempfile.MkdirTemp("")
	if err != nil {
		return fmt.Errorf("making a folder for sound: %w", err)
	}
	defer dir.Remove()
	tracks = slices.Clone(tracks)
	fetched := map[string]string{}
	for i := range tracks {
		source := tracks[i].Source
		switch {
		case fetched[source] != "":
			tracks[i].Source = fetched[source]
			continue
		case !addr.IsRemote(source):
			tracks[i].Source = sources.Path(source)
			continue
		}
		file := filepath.Join(dir.Path(), strconv.Itoa(i))
		if err := fetch(ctx, c, source, file); err != nil {
			return fmt.Errorf("fetching %s: %w", source, err)
		}
		tracks[i].Source, fetched[source] = file, file
	}
	if err := store.Dir("").RemovePartials(output); err != nil {
		return fault.Userf("removing what a killed render left of %s: %w", output, err)
	}
	w, err := store.Dir("").CreateFile(output)
	if err != nil {
		return fault.Userf("writing %s: %w", output, err)
	}
	defer w.Abort()
	err = audio.Mix(ctx, audio.Options{
		Tracks: tracks, FPS: config.FPS, StartFrame: config.StartFrame, FrameCount: config.FrameCount,
		Codec: config.AudioCodec, Container: strings.TrimPrefix(filepath.Ext(output), "."), Bitrate: config.AudioBitrate, Loudness: config.Loudness,
	}, w.Name())
	if err != nil {
		return err
	}
	return commit(w, store.Dir(""), output, overwrite)
}

// fetch writes what is at an address to a file.
func fetch(ctx context.Context, c capture.Composition, address, file string) error {
	bucket, key, ok := addr.SplitS3(address)
	if !ok {
		return browser.Download(ctx, c.Browser(1), address, file)
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
