package awstest

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// Config returns a configuration for clients of e.
func (e *Endpoint) Config() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &e.URL,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}
}

// CreateStateMachine creates a state machine and returns its ARN. Use one region for each execution: the second one in
// a region may fail, because moto cannot copy its own state.
func (e *Endpoint) CreateStateMachine(t testing.TB, region, name, definition string) (arn string) {
	t.Helper()
	config := e.Config()
	config.Region = region
	out, err := sfn.NewFromConfig(config).CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: &name, Definition: &definition, RoleArn: aws.String("arn:aws:iam::123456789012:role/helios"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.StateMachineArn
}

// Setenv configures the AWS SDK of this process and of its children to use e.
func (e *Endpoint) Setenv(t *testing.T) {
	t.Helper()
	for _, variable := range []string{
		"AWS_ENDPOINT_URL=" + e.URL, "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	} {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}
