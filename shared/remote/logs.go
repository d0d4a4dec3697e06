package remote

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"helios/shared/cloud"
	"helios/shared/fault"
)

// Attempt is an attempt at a unit of work, and where its log is.
type Attempt struct {
	cloud.Usage
	Log cloud.Log
}

// Attempts returns those attempts of a render that are asked for.
func (s *Stack) Attempts(ctx context.Context, r *Render, want func(cloud.Usage) bool) ([]Attempt, error) {
	var list []Attempt
	if r.Progress != nil {
		for _, u := range r.Progress.Usage {
			if !want(u) {
				continue
			}
			log, err := s.logOf(ctx, r.Job.JobID, u)
			if err != nil {
				return nil, err
			}
			list = append(list, Attempt{u, log})
		}
	}
	return list, nil
}

// logOf finds out where the log of an attempt is.
func (s *Stack) logOf(ctx context.Context, jobID string, u cloud.Usage) (log cloud.Log, err error) {
	progress := cloud.Job(jobID).Progress()
	key := progress + u.Name()
	for range 5 {
		if err = s.Bucket.GetJSON(ctx, key, &log); !errors.Is(err, fs.ErrNotExist) {
			return log, err
		}
		// It has come further since.
		list, listErr := s.Bucket.List(ctx, progress+u.Unit+"."+u.Attempt+".")
		if listErr != nil || len(list) == 0 {
			return log, errors.Join(listErr, err)
		}
		key = list[len(list)-1].Key
	}
	return log, err
}

var logPlace = regexp.MustCompile(`\(log: (\S+), stream (\S+), request ([^\s)]+)\)`)

// FailureLog returns the log that the message about a failure names.
func (r *Render) FailureLog() (log cloud.Log, ok bool) {
	m := logPlace.FindStringSubmatch(r.Message)
	if m == nil {
		return log, false
	}
	return cloud.Log{Group: m[1], Stream: m[2], RequestID: m[3]}, true
}

// ErrNoLog says that there is no log. CloudWatch has lines a few seconds after they were written.
var ErrNoLog = errors.New("it has expired, or is not written yet")

// Line is one of a log.
type Line struct {
	Time time.Time
	Text string
}

// ReadLog reads the log of one call: of its stream, what lies between the first and the last line that name the
// request, or the end if the call still runs. A stream's calls come one after another.
func (s *Stack) ReadLog(ctx context.Context, log cloud.Log, running bool) ([]Line, error) {
	if log.Group == "" || log.Stream == "" {
		return nil, fault.Userf("the call told nothing about its log")
	}
	var lines []Line
	last := 0
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: &log.Group, LogStreamName: &log.Stream, StartFromHead: aws.Bool(true)}
	pages := cloudwatchlogs.NewGetLogEventsPaginator(s.Logs, in, func(o *cloudwatchlogs.GetLogEventsPaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if errors.As(err, new(*types.ResourceNotFoundException)) {
			return nil, fault.Userf("there is no log %s, stream %s: %w", log.Group, log.Stream, ErrNoLog)
		}
		if err != nil {
			return nil, s.wrapError(ctx, "reading the log "+log.Group, "", err)
		}
		for _, e := range page.Events {
			text := strings.TrimRight(aws.ToString(e.Message), "\n")
			names := strings.Contains(text, log.RequestID)
			if len(lines) == 0 && !names {
				continue
			}
			lines = append(lines, Line{time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC(), text})
			if names {
				last = len(lines)
			}
		}
	}
	if running {
		last = len(lines)
	}
	return lines[:last], nil
}
