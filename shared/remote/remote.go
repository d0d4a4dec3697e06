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

// StepFunctions contains the methods of sfn.Client that a [Stack] calls.
type StepFunctions interface {
	StartExecution(
		context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options),
	) (*sfn.StartExecutionOutput, error)
	StopExecution(
		context.Context, *sfn.StopExecutionInput, ...func(*sfn.Options),
	) (*sfn.StopExecutionOutput, error)
	DescribeExecution(
		context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options),
	) (*sfn.DescribeExecutionOutput, error)
	sfn.GetExecutionHistoryAPIClient
	sfn.ListExecutionsAPIClient
}

// Lambda contains the methods of lambda.Client that a [Stack] calls.
type Lambda interface {
	GetAccountSettings(
		context.Context, *lambda.GetAccountSettingsInput, ...func(*lambda.Options),
	) (*lambda.GetAccountSettingsOutput, error)
}

// Stack is a deployed Helios stack on AWS.
type Stack struct {
	Bucket       *cloud.Bucket
	StateMachine string // ARN

	StepFunctions StepFunctions
	Logs          cloudwatchlogs.GetLogEventsAPIClient
	Lambda        Lambda
}

// Open returns the stack with a bucket and a state machine (an ARN). It finds credentials and region like
// store.S3Client, except that the ARN contains the region of the state machine.
func Open(ctx context.Context, bucket, machine string) (*Stack, error) {
	if bucket == "" {
		return nil, fault.Userf("the bucket is unknown; set --bucket or %s to the output Bucket of the stack",
			cloud.BucketVariable)
	}
	if machine == "" {
		return nil, fault.Userf("the state machine is unknown; set --state-machine or %s to the output StateMachine "+
			"of the stack", cloud.StateMachineVariable)
	}
	parts, err := arn.Parse(machine)
	if err != nil || parts.Service != "states" || !strings.HasPrefix(parts.Resource, "stateMachine:") {
		return nil, fault.Userf("%q is not the ARN of a state machine; use the output StateMachine of the stack", machine)
	}
	objects, err := store.S3Client(ctx)
	if err != nil {
		return nil, err
	}
	cfg, err := loadConfig(ctx)
	if err != nil {
		return nil, err
	}
	cfg.Region = parts.Region
	return &Stack{
		Bucket:        &cloud.Bucket{Client: objects, Name: bucket},
		StateMachine:  machine,
		StepFunctions: sfn.NewFromConfig(cfg),
		Logs:          cloudwatchlogs.NewFromConfig(cfg),
		Lambda:        lambda.NewFromConfig(cfg),
	}, nil
}

func loadConfig(ctx context.Context) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return cfg, fault.Userf("reading the AWS configuration: %w", err)
	}
	return cfg, nil
}

// Close closes idle connections.
func (s *Stack) Close() { s.Bucket.Objects("").CloseIdleConnections() }

// executionARN returns the ARN of a render. It accepts ids and ARNs.
func (s *Stack) executionARN(id string) string {
	if arn.IsARN(id) {
		return id
	}
	return strings.Replace(s.StateMachine, ":stateMachine:", ":execution:", 1) + ":" + id
}

// wrapError adds the failed operation, a kind and a remedy to an error of the SDK. id is the id of the render, or "" if
// the operation does not concern one.
func (s *Stack) wrapError(ctx context.Context, operation, id string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", operation, context.Cause(ctx))
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
		return fault.Userf("there is no render %s; helios cloud list prints the ids of renders", id)
	case errors.As(err, new(*types.StateMachineDoesNotExist)), errors.As(err, new(*types.InvalidArn)):
		return fault.Userf("there is no state machine %s; use the output StateMachine of the stack", s.StateMachine)
	case status == http.StatusForbidden, strings.HasPrefix(code, "AccessDenied"), code == "UnrecognizedClientException",
		strings.HasPrefix(code, "ExpiredToken"):
		return fault.Userf("%s: access denied: %w; use other credentials or add the permission",
			operation, withoutRequestID(api, err))
	case status >= 500, status == http.StatusTooManyRequests, status == 0, strings.Contains(code, "Throttl"):
		return fault.Transientf("%s: %w", operation, withoutRequestID(api, err))
	}
	return fmt.Errorf("%s: %w", operation, withoutRequestID(api, err))
}

// withoutRequestID shortens errors of AWS to their code and message.
func withoutRequestID(api smithy.APIError, err error) error {
	if api == nil {
		return err
	}
	return fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
}
