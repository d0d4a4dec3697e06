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

// Attempt is an attempt at a unit of work, such as a partition, with its log.
type Attempt struct {
	cloud.Usage
	Log cloud.Log
}

// Attempts returns the attempts of a render for which match returns true.
func (s *Stack) Attempts(ctx context.Context, r *Render, match func(cloud.Usage) bool) ([]Attempt, error) {
	if r.Progress == nil {
		return nil, nil
	}
	var list []Attempt
	for _, u := range r.Progress.Usage {
		if !match(u) {
			continue
		}
		log, err := s.logOf(ctx, r.Job.JobID, u)
		if err != nil {
			return nil, err
		}
		list = append(list, Attempt{u, log})
	}
	return list, nil
}

// logOf reads the log of an attempt from its progress object.
func (s *Stack) logOf(ctx context.Context, jobID string, u cloud.Usage) (log cloud.Log, err error) {
	progress := cloud.Job(jobID).Progress()
	key := progress + u.Name()
	for range 5 {
		if err = s.Bucket.GetJSON(ctx, key, &log); !errors.Is(err, fs.ErrNotExist) {
			return log, err
		}
		// The attempt has made progress and replaced the object.
		list, listErr := s.Bucket.List(ctx, progress+u.Unit+"."+u.Attempt+".")
		if listErr != nil || len(list) == 0 {
			return log, errors.Join(listErr, err)
		}
		key = list[len(list)-1].Key
	}
	return log, err
}

// logPattern matches what the functions append to their error messages.
var logPattern = regexp.MustCompile(`\(log: (\S+), stream (\S+), request ([^\s)]+)\)`)

// FailureLog returns the log that the error message of the render names.
func (r *Render) FailureLog() (log cloud.Log, ok bool) {
	m := logPattern.FindStringSubmatch(r.Message)
	if m == nil {
		return log, false
	}
	return cloud.Log{Group: m[1], Stream: m[2], RequestID: m[3]}, true
}

// ErrNoLog is wrapped by the error of ReadLog if the log stream does not exist.
var ErrNoLog = errors.New("it has expired or is not written yet; CloudWatch needs a few seconds")

// Line is a line of a log.
type Line struct {
	Time time.Time
	Text string
}

// ReadLog returns the log lines of one call. The calls of a log stream follow each other, so these are the lines from
// the first to the last that name the request id, or to the end of the stream if the call is running.
func (s *Stack) ReadLog(ctx context.Context, log cloud.Log, running bool) ([]Line, error) {
	if log.Group == "" || log.Stream == "" {
		return nil, fault.Userf("the call did not report its log")
	}
	var lines []Line
	last := 0
	in := &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: &log.Group, LogStreamName: &log.Stream, StartFromHead: aws.Bool(true),
	}
	options := func(o *cloudwatchlogs.GetLogEventsPaginatorOptions) { o.StopOnDuplicateToken = true }
	pages := cloudwatchlogs.NewGetLogEventsPaginator(s.Logs, in, options)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if errors.As(err, new(*types.ResourceNotFoundException)) {
			return nil, fault.Userf("the log %s has no stream %s: %w", log.Group, log.Stream, ErrNoLog)
		}
		if err != nil {
			return nil, s.wrapError(ctx, "reading the log "+log.Group, "", err)
		}
		for _, e := range page.Events {
			text := strings.TrimRight(aws.ToString(e.Message), "\n")
			matches := strings.Contains(text, log.RequestID)
			if len(lines) == 0 && !matches {
				continue
			}
			lines = append(lines, Line{time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC(), text})
			if matches {
				last = len(lines)
			}
		}
	}
	if running {
		last = len(lines)
	}
	return lines[:last], nil
}
