package cloud

import (
	"context"
	"encoding/json"
	"strings"

	"helios/shared/fault"
)

// RequestError records why a document below requests/ produced no output: the request is invalid, or its render
// failed. It is stored beside the document, and deleted when the document starts another render.
type RequestError struct {
	Request string `json:"request"` // key of the document
	Error   string `json:"error"`   // message
	Type    string `json:"type"`    // such as Helios.User
	// Field is the invalid field of the request, if any.
	Field string `json:"field,omitempty"`
	// Execution (an ARN) and Log are present if the render failed.
	Execution string `json:"execution,omitempty"`
	Log       *Log   `json:"log,omitempty"`
}

// RequestErrorEvent asks the plan function to record that the render of a document failed.
type RequestErrorEvent struct {
	Action   string   `json:"action"` // "request-error"
	Document string   `json:"document"`
	Finished Finished `json:"finished"`
}

const errorSuffix = ".error.json"

// isRequest reports whether an object with this key requests a render.
func isRequest(key string) bool {
	return strings.HasPrefix(key, RequestsPrefix) && strings.HasSuffix(key, ".json") &&
		!strings.HasSuffix(key, errorSuffix)
}

// requestErrorKey returns the key of the [RequestError] of a document.
func requestErrorKey(document string) string {
	return strings.TrimSuffix(document, ".json") + errorSuffix
}

func writeRequestError(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[RequestErrorEvent](event)
	if err != nil {
		return nil, err
	}
	if !isRequest(e.Document) {
		return nil, fault.Userf("%q is not a document below %s", e.Document, RequestsPrefix)
	}
	f := e.Finished
	r := RequestError{Request: e.Document, Error: f.Message, Type: f.Error, Execution: f.Execution, Log: f.Log}
	return r, c.Bucket.PutJSON(ctx, requestErrorKey(e.Document), r)
}
