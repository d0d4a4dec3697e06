package cloud

import (
	"context"
	"encoding/json"
	"strings"

	"helios/shared/fault"
)

// RequestError says beside a document below requests/ why nothing came of it: the request is wrong, or its render has
// failed. It goes when the document is put there again.
type RequestError struct {
	// Request is the document's key.
	Request string `json:"request"`
	// Error is what happened, Type one of the names such as Helios.User.
	Error string `json:"error"`
	Type  string `json:"type"`
	// Field is the one of the request that is wrong, if it is one.
	Field string `json:"field,omitempty"`
	// Execution is the one that has failed, Log where to read on.
	Execution string `json:"execution,omitempty"`
	Log       *Log   `json:"log,omitempty"`
}

// RequestErrorEvent asks the plan function to write down beside a document that its render has failed.
type RequestErrorEvent struct {
	Action   string   `json:"action"` // "request-error"
	Document string   `json:"document"`
	Finished Finished `json:"finished"`
}

const errorSuffix = ".error.json"

// isRequest reports whether a key is that of a document that asks for a render.
func isRequest(key string) bool {
	return strings.HasPrefix(key, RequestsPrefix) && strings.HasSuffix(key, ".json") && !strings.HasSuffix(key, errorSuffix)
}

// requestErrorKey returns where the answer to a document goes.
func requestErrorKey(document string) string {
	return strings.TrimSuffix(document, ".json") + errorSuffix
}

func writeRequestError(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[RequestErrorEvent](event)
	if err != nil {
		return nil, err
	}
	if !isRequest(e.Document) {
		return nil, fault.Userf("%q is no document below %s", e.Document, RequestsPrefix)
	}
	f := e.Finished
	r := RequestError{Request: e.Document, Error: f.Message, Type: f.Error, Execution: f.Execution, Log: f.Log}
	return r, c.Bucket.PutJSON(ctx, requestErrorKey(e.Document), r)
}
