package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"helios/shared/addr"
	"helios/shared/cloud"
	"helios/shared/fault"
)

// Status is the status of a render.
type Status string

const (
	Running   Status = "running"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
	TimedOut  Status = "timed out"
)

func statusOf(s types.ExecutionStatus) Status {
	switch s {
	case types.ExecutionStatusSucceeded:
		return Succeeded
	case types.ExecutionStatusFailed:
		return Failed
	case types.ExecutionStatusAborted:
		return Cancelled
	case types.ExecutionStatusTimedOut:
		return TimedOut
	}
	return Running
}

// Render is the state of a render.
type Render struct {
	ID      string    `json:"id"`
	Status  Status    `json:"status"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	// Request is the input of the execution; nil if that is not a request.
	Request *cloud.Request `json:"request,omitempty"`
	// Job and Progress are nil until the render is planned.
	Job      *cloud.Planned  `json:"job,omitempty"`
	Progress *cloud.Progress `json:"progress,omitempty"`
	// Finished is nil until the render has succeeded.
	Finished *cloud.Finished `json:"finished,omitempty"`
	// Error and Message describe the failure.
	Error   string `json:"error,omitempty"`
	Message string `json:"message,omitempty"`
}

// Err returns an error if the render was cancelled, timed out or failed.
func (r *Render) Err() error {
	switch r.Status {
	case Cancelled:
		return fault.Userf("the render %s was cancelled; to continue it, use helios cloud redrive %s", r.ID, r.ID)
	case TimedOut:
		return fmt.Errorf("the render %s took longer than a day; to continue it, use helios cloud redrive %s", r.ID, r.ID)
	case Failed:
		kind := fault.Internal
		switch r.Error {
		case cloud.UserError, cloud.TimeoutError:
			kind = fault.User
		case cloud.TransientError:
			kind = fault.Transient
		}
		message := strings.TrimSuffix(strings.TrimSpace(r.Message), ".")
		return fault.Wrap(kind, fmt.Errorf("the render %s failed: %s", r.ID, message))
	}
	return nil
}

// Start starts a render. The id consists of at most 80 letters, digits and dashes, and no render of the last 90 days
// may have it.
func (s *Stack) Start(ctx context.Context, id string, r *cloud.Request) error {
	input, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = s.StepFunctions.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &s.StateMachine, Name: &id, Input: aws.String(string(input)),
	})
	if errors.As(err, new(*types.ExecutionAlreadyExists)) {
		return fault.Userf("a render with the id %s already exists", id)
	}
	return s.wrapError(ctx, "starting the render", "", err)
}

// Describe returns the state of a render without Job and Progress.
func (s *Stack) Describe(ctx context.Context, id string) (*Render, error) {
	arn := s.executionARN(id)
	e, err := s.StepFunctions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return nil, s.wrapError(ctx, "reading the state of the render", id, err)
	}
	r := &Render{
		ID: aws.ToString(e.Name), Status: statusOf(e.Status),
		Started: aws.ToTime(e.StartDate), Ended: aws.ToTime(e.StopDate),
		Error: aws.ToString(e.Error), Message: aws.ToString(e.Cause),
	}
	request := new(cloud.Request)
	if json.Unmarshal([]byte(aws.ToString(e.Input)), request) == nil {
		r.Request = request
	}
	finished := new(cloud.Finished)
	if r.Status == Succeeded && json.Unmarshal([]byte(aws.ToString(e.Output)), finished) == nil {
		r.Finished = finished
	}
	return r, nil
}

// Status returns the state of a render. previous, which saves requests, is the result of an earlier call for the same
// render, or nil.
func (s *Stack) Status(ctx context.Context, id string, previous *Render) (*Render, error) {
	r, err := s.Describe(ctx, id)
	if err != nil {
		return nil, err
	}
	if previous != nil {
		r.Job = previous.Job
	}
	if r.Job == nil {
		if r.Job, err = s.planned(ctx, id); err != nil || r.Job == nil {
			return r, err
		}
	}
	// The client does not know the architecture of the functions. The report has the exact prices.
	if r.Progress, err = cloud.ReadProgress(ctx, s.Bucket, r.Job.JobID, cloud.PricesOf("")); err != nil {
		return nil, err
	}
	return r, nil
}

// planned returns the response of the plan function, or nil if the render is not planned yet. The history is short,
// because partitions have executions of their own, and the response is near its start.
func (s *Stack) planned(ctx context.Context, id string) (*cloud.Planned, error) {
	arn := s.executionARN(id)
	in := &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 100}
	pages := sfn.NewGetExecutionHistoryPaginator(s.StepFunctions, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s.wrapError(ctx, "reading the history of the render", id, err)
		}
		for _, e := range page.Events {
			d := e.StateExitedEventDetails
			if d == nil || aws.ToString(d.Name) != "Plan" {
				continue
			}
			var state struct {
				Plan struct{ Payload *cloud.Planned }
			}
			err := json.Unmarshal([]byte(aws.ToString(d.Output)), &state)
			if p := state.Plan.Payload; err == nil && p != nil && p.JobID != "" {
				return p, nil
			}
		}
	}
	return nil, nil
}

// List returns the last renders, the latest first.
func (s *Stack) List(ctx context.Context, limit int) ([]Render, error) {
	var list []Render
	in := &sfn.ListExecutionsInput{StateMachineArn: &s.StateMachine, MaxResults: int32(min(limit, 1000))}
	pages := sfn.NewListExecutionsPaginator(s.StepFunctions, in)
	for pages.HasMorePages() && len(list) < limit {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s.wrapError(ctx, "listing the renders", "", err)
		}
		for _, e := range page.Executions {
			list = append(list, Render{
				ID: aws.ToString(e.Name), Status: statusOf(e.Status),
				Started: aws.ToTime(e.StartDate), Ended: aws.ToTime(e.StopDate),
			})
		}
	}
	return list[:min(limit, len(list))], nil
}

// Cancel stops a running render. Its chunks remain.
func (s *Stack) Cancel(ctx context.Context, id string) error {
	r, err := s.Describe(ctx, id)
	if err != nil {
		return err
	}
	if r.Status != Running {
		return fault.Userf("the render %s is not running: its status is %q", r.ID, r.Status)
	}
	arn := s.executionARN(id)
	_, err = s.StepFunctions.StopExecution(ctx, &sfn.StopExecutionInput{
		ExecutionArn: &arn, Error: aws.String("Helios.Cancelled"), Cause: aws.String("cancelled from the command line"),
	})
	return s.wrapError(ctx, "cancelling the render", id, err)
}

// Redrive repeats a cancelled, timed-out or failed render in a new execution with the id next. Both renders are the
// same job, so existing chunks are kept. Redrive does not use RedriveExecution, because that continues at the last
// state, which reports the failure.
func (s *Stack) Redrive(ctx context.Context, id, next string) error {
	r, err := s.Describe(ctx, id)
	switch {
	case err != nil:
		return err
	case r.Status == Running:
		return fault.Userf("the render %s is still running; to stop it, use helios cloud cancel %s", r.ID, r.ID)
	case r.Status == Succeeded:
		return fault.Userf("the render %s has succeeded; there is nothing to redrive", r.ID)
	case r.Request == nil:
		return fault.Userf("the render %s cannot be redriven: its input is not a request", r.ID)
	}
	request := *r.Request
	request.Output = request.OutputKey(r.ID)
	if request.Revision == "" && addr.IsHTTP(request.Input) {
		request.Revision = r.ID // the revision that the plan function used
	}
	return s.Start(ctx, next, &request)
}
