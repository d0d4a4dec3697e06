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

// AudioResult says what became of the sound.
type AudioResult struct {
	State State `json:"state"` // "done" or "kept"
}

func mixAudio(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[AudioEvent](event)
	if err != nil {
		return nil, err
	}
	if err := sweep(); err != nil {
		return nil, err
	}
	state, err := c.mix(ctx, e.JobID)
	if err != nil {
		return nil, fmt.Errorf("mixing the sound: %w", err)
	}
	w := progressWriter{bucket: c.Bucket, keys: Job(e.JobID)}
	return AudioResult{state}, w.write(ctx, c.usage(UnitAudio, state, 0), c.Log)
}

func (c *Call) mix(ctx context.Context, jobID string) (State, error) {
	var header JobHeader
	if err := c.Bucket.GetJSON(ctx, Job(jobID).Header(), &header); err != nil {
		return "", err
	}
	if header.Audio == nil {
		return "", errors.New("the job has no sound")
	}
	chunks := c.Bucket.Objects(Job(jobID).Prefix())
	if there, err := exists(ctx, chunks, header.Audio.OutputFile); there || err != nil {
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
	file := filepath.Join(dir.Path(), filepath.Base(header.Audio.OutputFile))
	if err := render.Sound(ctx, header.Config, header.Audio.Tracks, composition, store.Dir(dir.Path()), file, true); err != nil {
		return "", err
	}
	switch err := upload(ctx, file, chunks, header.Audio.OutputFile); {
	case errors.Is(err, fs.ErrExist):
		return Kept, nil // somebody else was faster
	case err != nil:
		return "", err
	}
	return Done, nil
}

// upload puts a file into a store if there is nothing of its name.
func upload(ctx context.Context, file string, to store.Store, name string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return store.Put(ctx, to, name, f, store.Writer.CommitNew)
}
