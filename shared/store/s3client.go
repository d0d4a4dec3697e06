package store

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"helios/shared/fault"
)

const (
	// attempts is how often a request is made before it fails unless AWS_MAX_ATTEMPTS says otherwise, with growing pauses of 20 s at most in between.
	attempts = 6
	// stall is how long a connection may stand still before the request is made again.
	stall = 30 * time.Second
	// idleConnections is how many connections are kept: stitching reads from so many places at once.
	idleConnections = 32
)

// S3Client returns a client that is set up by the usual variables and files of AWS: AWS_REGION,
// AWS_ACCESS_KEY_ID, AWS_PROFILE and so on. AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_S3, leads to another
// server than that of AWS, with the buckets in the path. The error is a fault.User if there are no
// credentials or no region.
func S3Client(ctx context.Context) (*s3.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(httpClient(stall)))
	if err != nil {
		return nil, fault.Userf("reading the settings of AWS: %w", err)
	}
	if cfg.RetryMaxAttempts == 0 {
		cfg.RetryMaxAttempts = attempts
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, fault.Userf("there are no credentials for AWS; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE: %w", err)
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		if c, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			// The SDK's own cannot close its connections.
			o.HTTPClient = &http.Client{Transport: c.GetTransport(), CheckRedirect: sameMethod}
		}
		if o.BaseEndpoint != nil {
			o.UsePathStyle = true
			if o.Region == "" {
				o.Region = "us-east-1"
			}
		}
		// Ranges have no checksum, which would be logged each time.
		o.DisableLogOutputChecksumValidationSkipped = true
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
	if client.Options().Region == "" {
		return nil, fault.Userf("the region of AWS is not known; set AWS_REGION")
	}
	return client, nil
}

// sameMethod follows the redirects that S3 means to be followed.
func sameMethod(r *http.Request, via []*http.Request) error {
	switch r.Response.StatusCode {
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if len(via) < attempts {
			return nil
		}
	}
	return http.ErrUseLastResponse
}

// httpClient returns a client that gives up a connection over which nothing was sent, or no answer began, for
// some time. Who reads an answer has to watch it.
func httpClient(stall time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = idleConnections
		t.ResponseHeaderTimeout = stall
		dial := t.DialContext
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &sender{conn, stall}, nil
		}
	})
}

// sender is a connection whose writes end in time.
type sender struct {
	net.Conn
	stall time.Duration
}

func (s *sender) Write(p []byte) (int, error) {
	if err := s.SetWriteDeadline(time.Now().Add(s.stall)); err != nil {
		return 0, err
	}
	return s.Conn.Write(p)
}
