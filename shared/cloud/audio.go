package cloud

import (
	"context"
	"encoding/json"
	"errors"
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
	return nil, errors.New("not there yet")
}
