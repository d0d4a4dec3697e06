package cloud

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"helios/shared/addr"
	"helios/shared/job"
	"helios/shared/plan"
)

//go:embed request.schema.json
var requestSchema string

// RequestSchema returns the JSON Schema (draft 2020-12) of a [Request]. It includes all settings of a render.
func RequestSchema() []byte {
	text := strings.Replace(requestSchema, `"settings": {}`, job.SchemaProperties(true, "input", "output"), 1)
	var schema bytes.Buffer
	if err := json.Indent(&schema, []byte(text), "", "  "); err != nil {
		panic(err)
	}
	return schema.Bytes()
}

// DefaultTargetChunkSeconds is the default of [Request.TargetChunkSeconds].
const DefaultTargetChunkSeconds = 60

// Request requests a render. It is the input of an execution, and the content of a document below requests/.
type Request struct {
	// Options are the options of the render. Input is an http(s) or s3:// address, and Output is a key of the bucket.
	// Revision identifies the state of the composition: requests that are equal, including the Revision, share chunks.
	// Default: the name of the execution.
	plan.Options
	// TargetChunkSeconds is the approximate time to render a partition if Concurrency is left out. Default:
	// [DefaultTargetChunkSeconds].
	TargetChunkSeconds float64 `json:"targetChunkSeconds,omitempty"`
	// MaxConcurrency is the maximum number of partitions that are rendered at once. The MaxConcurrency of the stack is the
	// default and the upper limit.
	MaxConcurrency int `json:"maxConcurrency,omitempty"`
	// Webhook is the https URL that receives the result.
	Webhook string `json:"webhook,omitempty"`
	// Document is the key of the document below requests/ that contains the request. If the render fails, a
	// [RequestError] is stored next to it. The trigger sets it.
	Document string `json:"document,omitempty"`
}

// ParseRequest parses and validates a request. The error is a [*job.Error] with the name of the field.
func ParseRequest(data []byte) (*Request, error) {
	r := new(Request)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(r); err != nil {
		return nil, requestError(data, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, job.Errorf("", "the request contains more than one JSON value")
	}
	return r, r.Validate()
}

func requestError(data []byte, err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return job.Errorf(mismatch.Field, "must be a %s, got a %s", mismatch.Type, mismatch.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return job.Errorf(strings.Trim(name, `"`), "is not a field of a request; remove it or correct its name")
	}
	var field *job.Error
	if errors.As(err, &field) {
		return job.Errorf(cmp.Or(field.Field, invalidField(data)), "%s", field.Problem)
	}
	return job.Errorf("", "the request is not valid JSON: %v", err)
}

// invalidField returns the name of the field that cannot be decoded. Types such as [job.Rate] decode themselves and do
// not know the name of their field.
func invalidField(data []byte) string {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(data, &fields) // the caller knows the error
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		alone, err := json.Marshal(map[string]json.RawMessage{name: fields[name]})
		if err != nil || json.Unmarshal(alone, new(Request)) != nil {
			return name
		}
	}
	return ""
}

// Validate checks the settings that do not depend on the page. The error is a [*job.Error].
func (r *Request) Validate() error {
	if err := checkAddress("input", r.Input); err != nil {
		return err
	}
	if r.Output != "" {
		if err := checkKey(r.Output); err != nil {
			return err
		}
	}
	switch {
	case math.IsNaN(r.TargetChunkSeconds) || r.TargetChunkSeconds < 0 || r.TargetChunkSeconds > FunctionTime.Seconds():
		return job.Errorf("targetChunkSeconds", "must be above 0 and at most %.0f", FunctionTime.Seconds())
	case r.MaxConcurrency < 0 || r.MaxConcurrency > job.MaxPartitions:
		return job.Errorf("maxConcurrency", "must be 1 to %d", job.MaxPartitions)
	}
	if r.Document != "" && !isRequest(r.Document) {
		return job.Errorf("document", "is set by the trigger; leave it out")
	}
	for i, t := range r.Tracks {
		if err := checkAddress(fmt.Sprintf("tracks[%d].source", i), t.Source); err != nil {
			return err
		}
	}
	if r.Webhook != "" {
		if err := checkWebhook(r.Webhook); err != nil {
			return err
		}
	}
	// plan.New checks the other settings. A missing length is valid, because the page can declare it.
	o := r.Options
	if o.FrameCount == 0 && o.Duration.IsZero() {
		o.FrameCount = 1
	}
	_, err := plan.New(o)
	return err
}

// checkAddress rejects addresses in the network of the function, such as that of the Lambda runtime. The error names
// the field of the request.
func checkAddress(field, address string) error {
	if bucket, _, ok := addr.SplitS3(address); ok && !strings.ContainsAny(bucket, ":@") {
		return nil // keys are not escaped, so url.Parse could reject them
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "s3" {
		return job.Errorf(field, "%q is not an http(s) or s3:// address; use one such as https://example.com/page.html "+
			"or s3://bucket/folder/", address)
	}
	if u.User != nil {
		return job.Errorf(field, "must not contain a password")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	ip, err := netip.ParseAddr(host)
	if err == nil && !addr.IsPublic(ip) || addr.IsLocalhost(host) {
		return job.Errorf(field, "%s is not on the public internet", u.Host)
	}
	return nil
}

// checkKey checks the key of an output.
func checkKey(key string) error {
	switch {
	case key != strings.TrimPrefix(path.Clean("/"+key), "/"):
		return job.Errorf("output", "%q must be a key such as renders/intro.mp4", key)
	case isReserved(key):
		return job.Errorf("output", "%q has a reserved prefix; use another, such as %s", key, RendersPrefix)
	case len(key) > 1000:
		return job.Errorf("output", "is longer than 1000 bytes; use a shorter key")
	}
	return nil
}

// target returns the approximate time to render a partition.
func (r *Request) target() time.Duration {
	seconds := r.TargetChunkSeconds
	if seconds == 0 {
		seconds = DefaultTargetChunkSeconds
	}
	return time.Duration(seconds * float64(time.Second))
}

// OutputKey returns the key of the output. The default is below renders/, with the name of the execution or document.
func (r *Request) OutputKey(name string) string {
	if r.Output != "" {
		return r.Output
	}
	return RendersPrefix + name + cmp.Or(r.Format, job.MP4).Suffix()
}
