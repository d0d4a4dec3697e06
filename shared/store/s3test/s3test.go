// Package s3test runs a real S3 server for tests: versitygw, on loopback, with its objects in a temporary
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

	// startTimeout is how long the server may take to answer. It needs a quarter of a second on an idle
	// machine.
	startTimeout = 60 * time.Second
	// startTries is how often another port is tried when somebody else takes the one that was free.
	startTries = 5
)

// Server is a running S3 server. It ends with the test.
type Server struct {
	// Endpoint is its address, such as http://127.0.0.1:12345. Buckets are in the path.
	Endpoint string
	// AccessKey and SecretKey may do everything.
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
	for range startTries {
		if s.start(t, path) {
			return s
		}
	}
	t.Fatalf("%s did not find a free port in %d attempts", program, startTries)
	return nil
}

// start reports whether the server runs; it does not when its port was taken meanwhile.
func (s *Server) start(t testing.TB, path string) bool {
	t.Helper()
	address := freeAddress(t)
	s.Endpoint = "http://" + address
	// Nobody else answers there.
	health := "/" + rand.Text()
	dir := t.TempDir()
	cmd := exec.Command(path, "--port", address, "--region", Region, "--health", health, "--keep-alive", "--quiet", "posix", dir)
	cmd.Dir = dir
	cmd.Env = []string{"ROOT_ACCESS_KEY=" + s.AccessKey, "ROOT_SECRET_KEY=" + s.SecretKey}
	server, err := process.Start(cmd)
	if err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	t.Cleanup(server.Kill)
	late := time.After(startTimeout)
	for {
		if s.healthy(t.Context(), health) {
			return true
		}
		select {
		case <-server.Done():
			t.Logf("%s ended: %s", program, server.LastLine())
			return false
		case <-late:
			t.Fatalf("%s did not answer within %s", program, startTimeout)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (s *Server) healthy(ctx context.Context, path string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+path, nil)
	if err != nil {
		return false
	}
	answer, err := s.transport.RoundTrip(request)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Client returns a client of the server. Its idle connections are closed with the test.
func (s *Server) Client() *s3.Client {
	return s3.New(s3.Options{
		Region: Region, BaseEndpoint: aws.String(s.Endpoint), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
		HTTPClient:  &http.Client{Transport: s.transport},
	})
}

// Bucket makes a new bucket and returns its name.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name := "helios-test-" + strings.Repeat("b", int(s.buckets.Add(1)))
	if _, err := s.Client().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return name
}

// Environ returns the variables with which a process finds the server.
func (s *Server) Environ() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + s.Endpoint, "AWS_REGION=" + Region,
		"AWS_ACCESS_KEY_ID=" + s.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s.SecretKey, "AWS_SESSION_TOKEN=",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// Setenv sets these variables for the rest of the test.
func (s *Server) Setenv(t *testing.T) {
	t.Helper()
	for _, variable := range s.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}

// freeAddress returns a port on loopback that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// find returns the path of the server's program, below the folder of the module.
func find(t testing.TB) string {
	t.Helper()
	for dir := here; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, program)
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("%s is missing; `make install-deps` builds it", program)
		}
	}
}

// here is the folder of the tests; they may change to another one.
var here, _ = os.Getwd()
