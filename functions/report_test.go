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

// The report counts the requests that the functions made to S3, but not those for the files of the page, and the
// states that were entered.
func TestReportCounts(t *testing.T) {
	s := start(t)
	s.put(t, "sites/a/index.html", page)
	var puts, gets atomic.Int64
	s.FailS3(func(r *http.Request) bool {
		switch {
		case !strings.Contains(r.UserAgent(), "aws-sdk-go"), strings.Contains(r.URL.Path, "/sites/"), r.Method == http.MethodDelete:
		case r.Method == http.MethodPut, r.Method == http.MethodPost, r.URL.Query().Has("list-type"), r.URL.Query().Has("uploads"):
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
		t.Errorf("the report tells of %d puts and %d gets, and there were %d and %d", r.Puts, r.Gets, puts.Load(), gets.Load())
	}
	west := sfn.New(s.states.Options(), func(o *sfn.Options) { o.Region = strings.Split(*d.ExecutionArn, ":")[3] })
	history, err := west.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: d.ExecutionArn, MaxResults: 1000})
	if err != nil {
		t.Fatal(err)
	}
	entered := 0
	for _, e := range history.Events {
		if e.StateEnteredEventDetails != nil {
			entered++
		}
	}
	// Of the partitions, which are executions of their own, each enters a state, and its start counts.
	if r.Transitions != entered+2*3 {
		t.Errorf("the report tells of %d transitions, and the execution entered %d states", r.Transitions, entered)
	}
}
