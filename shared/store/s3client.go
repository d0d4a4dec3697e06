package store

import (
	"context"
	"net"
	"net/http"
	"os"
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
	// stall is how long a connection may stand still before the request is made again: on a slow line the last
	// bytes of a part take that long. In Lambda S3 is near, and all attempts have to end before the function does.
	stall, stallInLambda = 30 * time.Second, 10 * time.Second
	// idleConnections is how many connections are kept: stitching reads from so many places at once.
	idleConnections = 32
)

// S3Client returns a client that is set up by the usual variables and files of AWS: AWS_REGION,
// AWS_ACCESS_KEY_ID, AWS_PROFILE and so on. AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_S3, leads to another
// server than that of AWS, with the buckets in the path. The error is a fault.User if there are no
// credentials or no region.
func S3Client(ctx context.Context) (*s3.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(httpClient(patience())))
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

// patience returns how long a connection may stand still.
func patience() time.Duration {
	if os.Getenv("AWS_LAMBDA_FUNCTION_NAME") != "" {
		return stallInLambda
	}
	return stall
}

// httpClient returns a client that gives up a connection over which nothing went for some time.
func httpClient(stall time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) {
		d.Timeout = stall
	}).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = idleConnections
		t.ResponseHeaderTimeout = stall
		t.TLSHandshakeTimeout = stall
		dial := t.DialContext
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &watched{conn, stall}, nil
		}
	})
}

// watched is a connection that breaks when it stands still. What is sent also gives more time to a read that
// waits for the answer.
type watched struct {
	net.Conn
	stall time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.SetReadDeadline(time.Now().Add(w.stall)); err != nil {
		return 0, err
	}
	return w.Conn.Read(p)
}

func (w *watched) Write(p []byte) (int, error) {
	if err := w.SetDeadline(time.Now().Add(w.stall)); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}
