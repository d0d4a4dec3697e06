//go:build cloud

package functions

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"helios/shared/cloud"
)

// The report contains the S3 requests of the functions, without those for files of the page, and the state transitions.
func TestReportCounts(t *testing.T) {
	s := startStack(t)
	s.put(t, "sites/a/index.html", page)
	var puts, gets atomic.Int64
	s.FailS3(func(r *http.Request) bool {
		switch {
		case !strings.Contains(r.UserAgent(), "aws-sdk-go"), strings.Contains(r.URL.Path, "/sites/"),
			r.Method == http.MethodDelete:
		case r.Method == http.MethodPut, r.Method == http.MethodPost, r.URL.Query().Has("list-type"),
			r.URL.Query().Has("uploads"):
			puts.Add(1)
		default:
			gets.Add(1)
		}
		return false
	})
	d := s.run(t, "counted", `{"input":"s3://helios-test/sites/a/index.html","concurrency":3}`)
	f := finished(t, d)
	s.FailS3(func(*http.Request) bool { return false })
	if events := s.Events(); len(events) != 1 || checkEvent(t, []byte(events[0].Detail)) != nil {
		t.Errorf("the events were %+v", events)
	}
	var r cloud.Report
	if err := s.bucket.GetJSON(t.Context(), cloud.Job(f.JobID).Report(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Puts != puts.Load() || r.Gets != gets.Load() {
		t.Errorf("the report counts %d puts and %d gets, want %d and %d", r.Puts, r.Gets, puts.Load(), gets.Load())
	}
	west := sfn.New(s.states.Options(), func(o *sfn.Options) { o.Region = strings.Split(*d.ExecutionArn, ":")[3] })
	history, err := west.GetExecutionHistory(t.Context(),
		&sfn.GetExecutionHistoryInput{ExecutionArn: d.ExecutionArn, MaxResults: 1000})
	if err != nil {
		t.Fatal(err)
	}
	entered := 0
	for _, e := range history.Events {
		if e.StateEnteredEventDetails != nil {
			entered++
		}
	}
	// Each of the three child executions enters one state, and its start counts as a transition.
	if r.Transitions != entered+2*3 {
		t.Errorf("the report counts %d transitions, want %d", r.Transitions, entered+2*3)
	}
}
