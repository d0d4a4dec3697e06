package awstest

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// Config is how a client talks to the front.
func (f *Endpoint) Config() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &f.URL,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}
}

// Machine makes a state machine in a region and returns its ARN. Of a second execution in the same region moto may
// response that it cannot copy its own state.
func (f *Endpoint) CreateStateMachine(t testing.TB, region, name, definition string) (arn string) {
	t.Helper()
	config := f.Config()
	config.Region = region
	out, err := sfn.NewFromConfig(config).CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: &name, Definition: &definition, RoleArn: aws.String("arn:aws:iam::123456789012:role/helios"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.StateMachineArn
}

// Setenv sets the variables with which this process, and those that it starts, find the front.
func (f *Endpoint) Setenv(t *testing.T) {
	t.Helper()
	for _, variable := range []string{
		"AWS_ENDPOINT_URL=" + f.URL, "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	} {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}
