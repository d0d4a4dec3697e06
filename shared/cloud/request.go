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
var requestSchema []byte

// RequestSchema returns the JSON Schema (draft 2020-12) of a [Request].
func RequestSchema() []byte { return slices.Clone(requestSchema) }

// DefaultTargetChunkSeconds is how long a partition shall take about, when nobody says otherwise.
const DefaultTargetChunkSeconds = 60

// Request asks for a render: it is the input of an execution, and a document below requests/.
type Request struct {
	// Options are those of a render. Input is an http(s) or s3:// address. Output is a key of the bucket.
	// Revision names the state of a composition on the web: with the same one a request goes on with the work
	// of an earlier one. Default: the name of the execution, so that each renders anew.
	plan.Options
	// TargetChunkSeconds is how long a partition shall take about, when Concurrency is left out. Default:
	// [DefaultTargetChunkSeconds].
	TargetChunkSeconds float64 `json:"targetChunkSeconds,omitempty"`
	// MaxConcurrency is how many partitions are rendered at once, at most. Default, and the most: what the
	// stack was deployed with.
	MaxConcurrency int `json:"maxConcurrency,omitempty"`
	// Webhook is an https address that is told of the end.
	Webhook string `json:"webhook,omitempty"`
	// Document is the key of the document below requests/ that the request was: a failure is answered beside
	// it, by a [RequestError]. The trigger fills it in.
	Document string `json:"document,omitempty"`
}

// ParseRequest reads a request and checks it. Its error is a [*job.Error] that names the field.
func ParseRequest(data []byte) (*Request, error) {
	r := new(Request)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(r); err != nil {
		return nil, requestError(data, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, job.Errorf("", "the request has more than one JSON value")
	}
	return r, r.Validate()
}

func requestError(data []byte, err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return job.Errorf(mismatch.Field, "must be a %s, got a %s", mismatch.Type, mismatch.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return job.Errorf(strings.Trim(name, `"`), "is no field of a request; remove it or correct its name")
	}
	var field *job.Error
	if errors.As(err, &field) {
		return job.Errorf(cmp.Or(field.Field, faulty(data)), "%s", field.Problem)
	}
	return job.Errorf("", "the request is no valid JSON: %v", err)
}

// faulty returns the field that cannot be read: the types that read themselves do not know where they stand.
func faulty(data []byte) string {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(data, &fields) // what was wrong is known
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		alone, err := json.Marshal(map[string]json.RawMessage{name: fields[name]})
		if err != nil || json.Unmarshal(alone, new(Request)) != nil {
			return name
		}
	}
	return ""
}

// Validate checks what can be checked before the page is opened. The error is a [*job.Error].
func (r *Request) Validate() error {
	if err := checkInput(r.Input); err != nil {
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
		return job.Errorf("document", "is filled in by the trigger; leave it out")
	}
	for i, t := range r.Tracks {
		if err := checkInput(t.Source); err != nil {
			return job.Errorf(fmt.Sprintf("tracks[%d].source", i), "%v", err)
		}
	}
	if r.Webhook != "" {
		if err := checkWebhook(r.Webhook); err != nil {
			return err
		}
	}
	// Everything else, as the planner sees it; what the page may say is taken for said.
	o := r.Options
	if o.FrameCount == 0 && o.Duration.IsZero() {
		o.FrameCount = 1
	}
	_, err := plan.New(o)
	return err
}

// checkInput refuses addresses of the function itself: the Lambda runtime is there.
func checkInput(input string) error {
	if bucket, _, ok := addr.SplitS3(input); ok && !strings.ContainsAny(bucket, ":@") {
		return nil // keys have no escapes
	}
	u, err := url.Parse(input)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "s3" {
		return job.Errorf("input", "%q is no address of a composition: give one like https://example.com/page.html or s3://bucket/folder/", input)
	}
	if u.User != nil {
		return job.Errorf("input", "must not contain a password")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	ip, err := netip.ParseAddr(host)
	if err == nil && !addr.IsPublic(ip) || addr.IsLocalhost(host) {
		return job.Errorf("input", "%s is not on the public internet", u.Host)
	}
	return nil
}

// checkKey checks the key of an output.
func checkKey(key string) error {
	switch {
	case key != strings.TrimPrefix(path.Clean("/"+key), "/"):
		return job.Errorf("output", "%q must be a key such as renders/intro.mp4", key)
	case isReserved(key):
		return job.Errorf("output", "%q is below a prefix that Helios keeps its own things in; choose another, such as %s", key, RendersPrefix)
	case len(key) > 1000:
		return job.Errorf("output", "is longer than the 1000 bytes of a key")
	}
	return nil
}

// target is how long a partition shall take about.
func (r *Request) target() time.Duration {
	seconds := r.TargetChunkSeconds
	if seconds == 0 {
		seconds = DefaultTargetChunkSeconds
	}
	return time.Duration(seconds * float64(time.Second))
}

// output returns where the result of a request goes: where it says, or below renders/ under the name of the
// execution or of the request's document.
func (r *Request) output(name string) string {
	if r.Output != "" {
		return r.Output
	}
	suffix := ".mp4"
	switch r.Format {
	case "":
	case job.PNG, job.JPEG:
		suffix = ".zip"
	default:
		suffix = "." + string(r.Format)
	}
	return RendersPrefix + name + suffix
}
