// Package s3test runs a real S3 server for tests: versitygw, on the loopback interface, with its objects in a temporary
// folder.
package s3test

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"helios/shared/process"
)

// Region is the region of every server.
const Region = "us-east-1"

const (
	program = ".cache/bin/versitygw"

	// startTimeout limits the time until the server responds. On an idle machine it takes 0.25 s.
	startTimeout = 60 * time.Second
	// startAttempts is the number of ports to try. Another process can take a free port before the server binds it.
	startAttempts = 5
)

// Server is a running S3 server. It stops when the test ends.
type Server struct {
	// Endpoint is the URL of the server, such as http://127.0.0.1:12345. Buckets are in the path.
	Endpoint string
	// AccessKey and SecretKey are credentials with all permissions.
	AccessKey, SecretKey string

	transport *http.Transport
	buckets   atomic.Int64
}

// Start starts a server without buckets.
func Start(t testing.TB) *Server {
	t.Helper()
	path := find(t)
	s := &Server{AccessKey: "AKIAHELIOSTEST", SecretKey: rand.Text(), transport: &http.Transport{}}
	t.Cleanup(s.transport.CloseIdleConnections)
	for range startAttempts {
		if s.start(t, path) {
			return s
		}
	}
	t.Fatalf("%s did not find a free port in %d attempts", program, startAttempts)
	return nil
}

// start starts the server. It returns false if another process has taken the port.
func (s *Server) start(t testing.TB, path string) bool {
	t.Helper()
	address := freeAddress(t)
	s.Endpoint = "http://" + address
	// With a random path, the health check fails on another process that listens on the port.
	health := "/" + rand.Text()
	dir := t.TempDir()
	cmd := exec.Command(path, "--port", address, "--region", Region, "--health", health, "--keep-alive", "--quiet",
		"posix", dir)
	cmd.Dir = dir
	cmd.Env = []string{"ROOT_ACCESS_KEY=" + s.AccessKey, "ROOT_SECRET_KEY=" + s.SecretKey}
	server, err := process.Start(cmd)
	if err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	t.Cleanup(server.Kill)
	timeout := time.After(startTimeout)
	for {
		if s.healthy(t.Context(), health) {
			return true
		}
		select {
		case <-server.Done():
			t.Logf("%s exited: %s", program, server.LastLine())
			return false
		case <-timeout:
			t.Fatalf("%s did not respond within %s", program, startTimeout)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (s *Server) healthy(ctx context.Context, path string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+path, nil)
	if err != nil {
		return false
	}
	response, err := s.transport.RoundTrip(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Client returns a client of the server. Its idle connections are closed when the test ends.
func (s *Server) Client() *s3.Client {
	return s3.New(s3.Options{
		Region: Region, BaseEndpoint: aws.String(s.Endpoint), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
		HTTPClient:  &http.Client{Transport: s.transport},
	})
}

// Bucket creates a bucket and returns its name.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name := "helios-test-" + strings.Repeat("b", int(s.buckets.Add(1)))
	if _, err := s.Client().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return name
}

// Environ returns the environment variables that make an AWS client use the server.
func (s *Server) Environ() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + s.Endpoint, "AWS_REGION=" + Region,
		"AWS_ACCESS_KEY_ID=" + s.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s.SecretKey, "AWS_SESSION_TOKEN=",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// Setenv sets the variables of Environ until the test ends.
func (s *Server) Setenv(t *testing.T) {
	t.Helper()
	for _, variable := range s.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}

// freeAddress returns a loopback address with a free port.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// find returns the path of the server program. It searches the test's folder and its parents, one of which is the
// module root.
func find(t testing.TB) string {
	t.Helper()
	for dir := startDir; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, program)
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("%s is missing; `make install-deps` builds it", program)
		}
	}
}

// startDir is the folder of the test. Tests may change the current folder later.
var startDir, _ = os.Getwd()
