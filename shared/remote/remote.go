// Package remote is the other side of package cloud: it uploads compositions, starts renders on AWS, follows them
// and fetches what comes out.
//
// A render is an execution of the stack's state machine; its id is the execution's name. Errors are fault.User
// when the settings, the credentials or the id are wrong, and fault.Transient when AWS cannot be reached.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"helios/shared/cloud"
	"helios/shared/fault"
	"helios/shared/store"
)

// StepFunctions is what is asked of Step Functions.
type StepFunctions interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	StopExecution(context.Context, *sfn.StopExecutionInput, ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error)
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
	sfn.GetExecutionHistoryAPIClient
	sfn.ListExecutionsAPIClient
}

// Lambda is what is asked of Lambda.
type Lambda interface {
	GetAccountSettings(context.Context, *lambda.GetAccountSettingsInput, ...func(*lambda.Options)) (*lambda.GetAccountSettingsOutput, error)
}

// Stack is a stack of Helios on AWS.
type Stack struct {
	// Bucket and StateMachine, an ARN, are two of the stack's outputs.
	Bucket       *cloud.Bucket
	StateMachine string

	StepFunctions StepFunctions
	Logs          cloudwatchlogs.GetLogEventsAPIClient
	Lambda        Lambda
}

// Open returns a stack. Credentials and region are found as by store.S3Client; the region of the state machine is
// the one in its ARN.
func Open(ctx context.Context, bucket, machine string) (*Stack, error) {
	if bucket == "" {
		return nil, fault.Userf("the bucket is not known; give --bucket or set %s to the output Bucket of the stack", cloud.BucketVariable)
	}
	if machine == "" {
		return nil, fault.Userf("the state machine is not known; give --state-machine or set %s to the output StateMachine of the stack", cloud.StateMachineVariable)
	}
	parts, err := arn.Parse(machine)
	if err != nil || parts.Service != "states" || !strings.HasPrefix(parts.Resource, "stateMachine:") {
		return nil, fault.Userf("%q is not the ARN of a state machine; the output StateMachine of the stack is one", machine)
	}
	objects, err := store.S3Client(ctx)
	if err != nil {
		return nil, err
	}
	cfg, err := load(ctx)
	if err != nil {
		return nil, err
	}
	cfg.Region = parts.Region
	return &Stack{
		Bucket: &cloud.Bucket{Client: objects, Name: bucket}, StateMachine: machine,
		StepFunctions: sfn.NewFromConfig(cfg), Logs: cloudwatchlogs.NewFromConfig(cfg), Lambda: lambda.NewFromConfig(cfg),
	}, nil
}

func load(ctx context.Context) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return cfg, fault.Userf("reading the settings of AWS: %w", err)
	}
	return cfg, nil
}

// Close closes connections that are not in use.
func (s *Stack) Close() { s.Bucket.Objects("").CloseIdleConnections() }

// execution returns the ARN of a render. An id may be such an ARN itself.
func (s *Stack) execution(id string) string {
	if arn.IsARN(id) {
		return id
	}
	return strings.Replace(s.StateMachine, ":stateMachine:", ":execution:", 1) + ":" + id
}

// explain says in our words what is wrong with a request about a render.
func (s *Stack) wrapError(ctx context.Context, doing, id string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	var (
		response *awshttp.ResponseError
		api      smithy.APIError
		status   int
		code     string
	)
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	switch {
	case errors.As(err, new(*types.ExecutionDoesNotExist)), errors.As(err, new(*types.InvalidArn)) && id != "":
		return fault.Userf("there is no render %s; helios cloud list tells which there are", id)
	case errors.As(err, new(*types.StateMachineDoesNotExist)), errors.As(err, new(*types.InvalidArn)):
		return fault.Userf("there is no state machine %s; see the output StateMachine of the stack", s.StateMachine)
	case status == http.StatusForbidden, strings.HasPrefix(code, "AccessDenied"), code == "UnrecognizedClientException", strings.HasPrefix(code, "ExpiredToken"):
		return fault.Userf("%s is denied (%w); give other credentials, or allow it", doing, withoutRequestID(api, err))
	case status >= 500, status == http.StatusTooManyRequests, status == 0, strings.Contains(code, "Throttl"):
		return fault.Transientf("%s: %w", doing, withoutRequestID(api, err))
	}
	return fmt.Errorf("%s: %w", doing, withoutRequestID(api, err))
}

// trim leaves out the ids of the request.
func withoutRequestID(api smithy.APIError, err error) error {
	if api == nil {
		return err
	}
	return fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
}
