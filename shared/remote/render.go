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

// Status is how a render stands.
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

// Render is what is known of a render.
type Render struct {
	ID      string    `json:"id"`
	Status  Status    `json:"status"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	// Request is its input, nil if that is none.
	Request *cloud.Request `json:"request,omitempty"`
	// Job is what was planned; nil before.
	Job *cloud.Planned `json:"job,omitempty"`
	// Progress is that of the job; nil before it was planned.
	Progress *cloud.Progress `json:"progress,omitempty"`
	// Finished is there when the render has succeeded.
	Finished *cloud.Finished `json:"finished,omitempty"`
	// Error and Message say why it failed.
	Error   string `json:"error,omitempty"`
	Message string `json:"message,omitempty"`
}

// Err returns nil unless the render has ended without its output.
func (r *Render) Err() error {
	switch r.Status {
	case Cancelled:
		return fault.Userf("the render %s was cancelled; helios cloud redrive %s goes on with it", r.ID, r.ID)
	case TimedOut:
		return fmt.Errorf("the render %s took longer than a day; helios cloud redrive %s goes on with it", r.ID, r.ID)
	case Failed:
		kind := fault.Internal
		switch r.Error {
		case cloud.UserError, cloud.TimeoutError:
			kind = fault.User
		case cloud.TransientError:
			kind = fault.Transient
		}
		return fault.Wrap(kind, fmt.Errorf("the render %s failed: %s", r.ID, strings.TrimSuffix(strings.TrimSpace(r.Message), ".")))
	}
	return nil
}

// Start starts a render under an id, which no render had in the last 90 days: letters, digits, dashes, at most 80.
func (s *Stack) Start(ctx context.Context, id string, r *cloud.Request) error {
	input, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = s.StepFunctions.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &s.StateMachine, Name: &id, Input: aws.String(string(input))})
	if errors.As(err, new(*types.ExecutionAlreadyExists)) {
		return fault.Userf("there is a render %s already", id)
	}
	return s.wrapError(ctx, "starting the render", "", err)
}

// Describe finds out how a render stands, without its progress.
func (s *Stack) Describe(ctx context.Context, id string) (*Render, error) {
	arn := s.execution(id)
	e, err := s.StepFunctions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return nil, s.wrapError(ctx, "asking for the render", id, err)
	}
	r := &Render{
		ID: aws.ToString(e.Name), Status: statusOf(e.Status), Started: aws.ToTime(e.StartDate), Ended: aws.ToTime(e.StopDate),
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

// Look finds out all about a render. It takes what an earlier Look has found out of the same, or nil.
func (s *Stack) Status(ctx context.Context, id string, before *Render) (*Render, error) {
	r, err := s.Describe(ctx, id)
	if err != nil {
		return nil, err
	}
	if before != nil {
		r.Job = before.Job
	}
	if r.Job == nil {
		if r.Job, err = s.planned(ctx, id); err != nil || r.Job == nil {
			return r, err
		}
	}
	// What an execution on x86_64 costs more is told by its report.
	if r.Progress, err = cloud.ReadProgress(ctx, s.Bucket, r.Job.JobID, cloud.PricesOf("")); err != nil {
		return nil, err
	}
	return r, nil
}

// planned finds what the execution's plan function answered; nil if it has not yet. The executions of the
// partitions are others, so this history is short, and the answer stands near its beginning.
func (s *Stack) planned(ctx context.Context, id string) (*cloud.Planned, error) {
	arn := s.execution(id)
	pages := sfn.NewGetExecutionHistoryPaginator(s.StepFunctions, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 100})
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
			if json.Unmarshal([]byte(aws.ToString(d.Output)), &state) == nil && state.Plan.Payload != nil && state.Plan.Payload.JobID != "" {
				return state.Plan.Payload, nil
			}
		}
	}
	return nil, nil
}

// List returns the renders that began last, the latest first.
func (s *Stack) List(ctx context.Context, limit int) ([]Render, error) {
	var list []Render
	pages := sfn.NewListExecutionsPaginator(s.StepFunctions, &sfn.ListExecutionsInput{StateMachineArn: &s.StateMachine, MaxResults: int32(min(limit, 1000))})
	for pages.HasMorePages() && len(list) < limit {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s.wrapError(ctx, "listing the renders", "", err)
		}
		for _, e := range page.Executions {
			list = append(list, Render{
				ID: aws.ToString(e.Name), Status: statusOf(e.Status), Started: aws.ToTime(e.StartDate), Ended: aws.ToTime(e.StopDate),
			})
		}
	}
	return list[:min(limit, len(list))], nil
}

// Cancel ends a render that runs. What is done of it stays.
func (s *Stack) Cancel(ctx context.Context, id string) error {
	r, err := s.Describe(ctx, id)
	if err != nil {
		return err
	}
	if r.Status != Running {
		return fault.Userf("the render %s does not run: it has %s", r.ID, ending(r.Status))
	}
	arn := s.execution(id)
	_, err = s.StepFunctions.StopExecution(ctx, &sfn.StopExecutionInput{
		ExecutionArn: &arn, Error: aws.String("Helios.Cancelled"), Cause: aws.String("cancelled from the command line"),
	})
	return s.wrapError(ctx, "cancelling the render", id, err)
}

func ending(s Status) string {
	if s == Cancelled {
		return "been cancelled"
	}
	return string(s)
}

// Redrive does again what a render that ended without its output has not done, as a new render under another id.
// Both are the same job, so chunks that are there are kept. (Step Functions' own redrive would go on at the state
// machine's last state, which reports the failure.)
func (s *Stack) Redrive(ctx context.Context, id, next string) error {
	r, err := s.Describe(ctx, id)
	switch {
	case err != nil:
		return err
	case r.Status == Running:
		return fault.Userf("the render %s still runs; helios cloud cancel %s ends it", r.ID, r.ID)
	case r.Status == Succeeded:
		return fault.Userf("the render %s has succeeded; there is nothing to do again", r.ID)
	case r.Request == nil:
		return fault.Userf("the input of %s is no request of a render", r.ID)
	}
	request := *r.Request
	request.Output = request.OutputOf(r.ID)
	if request.Revision == "" && addr.IsHTTP(request.Input) {
		request.Revision = r.ID // as the plan had it
	}
	return s.Start(ctx, next, &request)
}
