package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"helios/shared/capture"
	"helios/shared/render"
	"helios/shared/store"
	"helios/shared/tempfile"
)

// AudioEvent asks the chunk function to mix and encode the sound of a job.
type AudioEvent struct {
	Action string `json:"action"` // "audio"
	JobID  string `json:"jobId"`
}

// AudioResult is the response to an [AudioEvent].
type AudioResult struct {
	State State `json:"state"` // "done" or "kept"
}

func mixAudio(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[AudioEvent](event)
	if err != nil {
		return nil, err
	}
	if err := removeTempFiles(); err != nil {
		return nil, err
	}
	state, err := c.mixAudio(ctx, e.JobID)
	if err != nil {
		return nil, fmt.Errorf("mixing the sound: %w", err)
	}
	return AudioResult{state}, c.report(ctx, e.JobID, UnitAudio, state)
}

func (c *Call) mixAudio(ctx context.Context, jobID string) (State, error) {
	header, err := c.header(ctx, jobID)
	if err != nil {
		return "", err
	}
	if header.Audio == nil {
		return "", errors.New("the job has no sound")
	}
	chunks, name := c.Bucket.Objects(Job(jobID).Prefix()), header.Audio.OutputFile
	if found, err := exists(ctx, chunks, name); found || err != nil {
		return Kept, err
	}
	composition, err := capture.Locate("", header.Config.Input)
	if err != nil {
		return "", err
	}
	dir, err := tempfile.MkdirTemp("")
	if err != nil {
		return "", err
	}
	defer dir.Remove()
	file := filepath.Join(dir.Path(), filepath.Base(name))
	err = render.MixSound(ctx, render.SoundOptions{
		Config: header.Config, Tracks: header.Audio.Tracks, Composition: composition, Sources: store.Dir(dir.Path()),
		Output: file, Overwrite: true,
	})
	if err != nil {
		return "", err
	}
	switch err := uploadNew(ctx, file, chunks, name); {
	case errors.Is(err, fs.ErrExist):
		return Kept, nil // a concurrent call was faster
	case err != nil:
		return "", err
	}
	return Done, nil
}

// uploadNew uploads a file. It returns fs.ErrExist if the store already contains name.
func uploadNew(ctx context.Context, file string, to store.Store, name string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return store.Put(ctx, to, name, f, store.Writer.CommitNew)
}
