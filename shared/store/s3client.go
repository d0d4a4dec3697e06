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
	// maxAttempts is the maximum number of attempts for a request, unless AWS_MAX_ATTEMPTS is set. The SDK waits up to
	// 20 s between attempts.
	maxAttempts = 6
	// stallTimeout is the time without progress after which a request is retried. A slow connection can need that long
	// for the last bytes of a part. In Lambda, S3 is near, and all attempts must end before the function times out.
	stallTimeout       = 30 * time.Second
	stallTimeoutLambda = 10 * time.Second
	// maxIdleConns is the maximum number of idle connections. A merge reads about as many ranges concurrently.
	maxIdleConns = 32
)

// S3Client returns a client with the standard AWS settings: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_PROFILE, the shared
// configuration files and so on. AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_S3 select another S3 server. Then the bucket is
// in the path of the URL, not in the host name. The error is a user error if there are no credentials or no region.
func S3Client(ctx context.Context) (*s3.Client, error) {
	stall := stallTimeout
	if os.Getenv("AWS_LAMBDA_FUNCTION_NAME") != "" {
		stall = stallTimeoutLambda
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(httpClient(stall)))
	if err != nil {
		return nil, fault.Userf("reading the AWS settings: %w", err)
	}
	if cfg.RetryMaxAttempts == 0 {
		cfg.RetryMaxAttempts = maxAttempts
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, fault.Userf("reading the AWS settings: there are no credentials; "+
			"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE: %w", err)
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		if c, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			// The SDK's client has no CloseIdleConnections.
			o.HTTPClient = &http.Client{Transport: c.GetTransport(), CheckRedirect: checkRedirect}
		}
		if o.BaseEndpoint != nil {
			o.UsePathStyle = true
			if o.Region == "" {
				o.Region = "us-east-1"
			}
		}
		// S3 sends no checksums for ranges. The SDK would log that for each one.
		o.DisableLogOutputChecksumValidationSkipped = true
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
	if client.Options().Region == "" {
		return nil, fault.Userf("reading the AWS settings: there is no region; set AWS_REGION")
	}
	return client, nil
}

// checkRedirect follows the redirects that keep the method. The SDK handles the others.
func checkRedirect(r *http.Request, via []*http.Request) error {
	switch r.Response.StatusCode {
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if len(via) < maxAttempts {
			return nil
		}
	}
	return http.ErrUseLastResponse
}

// httpClient returns a client whose requests fail after they make no progress for the time stall.
func httpClient(stall time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) {
		d.Timeout = stall
	}).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = maxIdleConns
		t.ResponseHeaderTimeout = stall
		t.TLSHandshakeTimeout = stall
		dial := t.DialContext
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &stallConn{conn, stall}, nil
		}
	})
}

// stallConn is a connection whose reads and writes time out. A write also extends the deadline of a read that waits for
// the response.
type stallConn struct {
	net.Conn
	timeout time.Duration
}

func (c *stallConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *stallConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
