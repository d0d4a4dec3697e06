package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"helios/shared/fault"
	"helios/shared/store/s3test"
)

// openS3 returns a store in a new bucket.
func openS3(t *testing.T, server *s3test.Server, prefix string) *S3 {
	t.Helper()
	server.Setenv(t)
	s, err := OpenS3(t.Context(), server.Bucket(t), prefix)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestS3(t *testing.T) {
	server := s3test.Start(t)
	testStore(t, func(t *testing.T) Store { return openS3(t, server, "jobs/1") })
}

func TestS3Keys(t *testing.T) {
	for _, test := range []struct{ prefix, want string }{
		{"", "s3://b/a"}, {"p", "s3://b/p/a"}, {"p/", "s3://b/p/a"}, {"/p/q", "s3://b/p/q/a"},
	} {
		if got := NewS3(nil, "b", test.prefix).URL("a"); got != test.want {
			t.Errorf("with the prefix %q, the URL of a is %s, want %s", test.prefix, got, test.want)
		}
	}
}

// large returns the content of an upload with three parts. The last one is smaller than S3 allows for the others.
func large() []byte {
	data := make([]byte, 2*minPartSize+123)
	rand.Read(data)
	return data
}

func TestS3MultipartUpload(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	data := large()
	for _, piece := range []int{1000, 1 << 20, 3 * minPartSize} {
		w := create(t, s, "a")
		for rest := data; len(rest) > 0; {
			n := min(piece, len(rest))
			if taken, err := w.Write(rest[:n]); err != nil || taken != n {
				t.Fatal(taken, err)
			}
			rest = rest[n:]
		}
		wantNone(t, s, "a")
		if n := len(uploads(t, s)); n != 1 {
			t.Errorf("there are %d uploads, want 1", n)
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		wantObject(t, s, "a", string(data))
		head, err := s.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &s.bucket, Key: new("a")})
		if err != nil || !strings.HasSuffix(*head.ETag, `-3"`) {
			t.Errorf("the object has the ETag %v, want one of 3 parts; %v", *head.ETag, err)
		}
		if err := s.Remove(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	wantNoUploads(t, s)
}

// Parts are within the limits of S3, and 10,000 of them are enough for an object of 400 GiB.
func TestS3PartSizes(t *testing.T) {
	total := int64(0)
	for number := range int32(maxParts) {
		size := partSize(number + 1)
		if size < 5<<20 || size > 5<<30 {
			t.Fatalf("part %d has %d bytes, want 5 MiB to 5 GiB", number+1, size)
		}
		total += int64(size)
	}
	if total < 400<<30 {
		t.Errorf("the largest object has %d bytes, want at least 400 GiB", total)
	}
}

func TestS3FirstCommitNewWins(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	var wg sync.WaitGroup
	var mu sync.Mutex
	var winner string
	wins := 0
	for range 3 {
		data := string(large())
		w := create(t, s, "a")
		if _, err := io.WriteString(w, data); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			err := w.CommitNew()
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				winner, wins = data, wins+1
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if wins != 1 {
		t.Errorf("CommitNew succeeded %d times, want once", wins)
	}
	wantObject(t, s, "a", winner)
	wantNoUploads(t, s)
}

func TestS3AbortRemovesUpload(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	w := create(t, s, "a")
	w.Write(large())
	if n := len(uploads(t, s)); n != 1 {
		t.Errorf("there are %d uploads, want 1", n)
	}
	w.Abort()
	wantNoUploads(t, s)
	wantNone(t, s, "a")

	// A cancelled context ends the writer. Abort still removes the upload.
	ctx, cancel := context.WithCancelCause(t.Context())
	w, err := s.Create(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	w.Write(large())
	cause := errors.New("cause")
	cancel(cause)
	if _, err := w.Write(large()); !errors.Is(err, cause) {
		t.Errorf("Write after the cancellation returned %v", err)
	}
	if err := w.Commit(); !errors.Is(err, cause) {
		t.Errorf("Commit after the cancellation returned %v", err)
	}
	w.Abort()
	wantNoUploads(t, s)
	wantNone(t, s, "a")
}

// A killed writer leaves an upload. The next writer of the object aborts that upload, but only after its own commit.
func TestS3CommitAbortsEarlierUploads(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	start := func(name string) Writer {
		w := create(t, s, name)
		if _, err := w.Write(large()); err != nil {
			t.Fatal(err)
		}
		waitForParts(t, w.(*s3Writer), 2)
		return w
	}
	killed, other := start("a"), start("a.b")
	aborted := start("a")
	aborted.Abort()
	second, third := start("a"), start("a")
	if n := len(uploads(t, s)); n != 4 {
		t.Fatalf("there are %d uploads, want 4", n)
	}
	if err := second.Commit(); err != nil {
		t.Fatal(err)
	}
	if keys := uploads(t, s); len(keys) != 2 {
		t.Errorf("there are uploads of %q, want 2", keys)
	}
	// If the earlier writer is still running, its error is transient.
	if err := killed.Commit(); fault.Of(err) != fault.Transient {
		t.Errorf("Commit of an aborted upload returned %v", err)
	}
	if err := third.Commit(); err != nil {
		t.Errorf("Commit of a later writer returned %v", err)
	}
	if err := other.Commit(); err != nil {
		t.Errorf("Commit of another object returned %v", err)
	}
	wantNoUploads(t, s)

	late := start("a")
	if err := start("a").Commit(); err != nil {
		t.Fatal(err)
	}
	for range 4 { // until the response to a part arrives
		if _, err := late.Write(large()); err != nil {
			if fault.Of(err) != fault.Transient {
				t.Errorf("Write to an aborted upload returned %v, of kind %s", err, fault.Of(err))
			}
			return
		}
	}
	t.Error("Write to an aborted upload did not fail")
}

func TestS3ObjectChangesWhileRead(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	old := large()
	put(t, s, "a", string(old))
	r, err := s.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	put(t, s, "a", string(large()))
	got, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	if !errors.Is(err, ErrChanged) || fault.Of(err) != fault.Transient || !strings.Contains(err.Error(), s.URL("a")) {
		t.Errorf("reading returned %v", err)
	}
	if !bytes.HasPrefix(old, got) {
		t.Error("the content mixes the old and the new object")
	}
	if err := s.Remove(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(make([]byte, 1), r.Size()/2); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadAt of a removed object returned %v", err)
	}
}

func TestS3ReadEndsWithContext(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	put(t, s, "a", string(large()))
	ctx, cancel := context.WithCancelCause(t.Context())
	r, err := s.Open(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cause := errors.New("cause")
	cancel(cause)
	if _, err := r.ReadAt(make([]byte, 10), r.Size()/2); !errors.Is(err, cause) {
		t.Errorf("ReadAt returned %v", err)
	}
}

func TestS3UserErrors(t *testing.T) {
	server := s3test.Start(t)
	s := openS3(t, server, "")
	put(t, s, "a", "x")
	t.Run("missing bucket", func(t *testing.T) {
		missing := NewS3(s.client, "helios-test-missing", "")
		wantUserErrors(t, missing, "bucket helios-test-missing does not exist")
	})
	t.Run("unknown access key", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIASOMEBODYELSE")
		other, err := OpenS3(t.Context(), s.bucket, "")
		if err != nil {
			t.Fatal(err)
		}
		wantUserErrors(t, other, "access is denied")
	})
	t.Run("wrong secret", func(t *testing.T) {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong secret")
		other, err := OpenS3(t.Context(), s.bucket, "")
		if err != nil {
			t.Fatal(err)
		}
		wantUserErrors(t, other, "access is denied")
	})
	t.Run("no credentials", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		_, err := S3Client(t.Context())
		if fault.Of(err) != fault.User || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
			t.Errorf("S3Client returned %v", err)
		}
	})
	t.Run("no region", func(t *testing.T) {
		t.Setenv("AWS_REGION", "")
		t.Setenv("AWS_ENDPOINT_URL", "")
		if _, err := S3Client(t.Context()); fault.Of(err) != fault.User || !strings.Contains(err.Error(), "AWS_REGION") {
			t.Errorf("S3Client returned %v", err)
		}
	})
}

// wantUserErrors checks that reading, writing and removing return user errors that contain text, the action and the
// object, but no secret.
func wantUserErrors(t *testing.T, s *S3, text string) {
	t.Helper()
	_, opening := s.Open(t.Context(), "a")
	small := create(t, s, "a")
	io.WriteString(small, "x")
	_, writing := create(t, s, "a").Write(large())
	for action, err := range map[string]error{
		"GetObject": opening, "PutObject": small.CommitNew(), "CreateMultipartUpload": writing,
		"DeleteObject": s.Remove(t.Context(), "a"),
	} {
		if fault.Of(err) != fault.User || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s returned %v, of kind %s", action, err, fault.Of(err))
			continue
		}
		for _, want := range []string{text, action, s.URL("a")} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s returned %q, want it to contain %q", action, err, want)
			}
		}
		credentials, _ := s.client.Options().Credentials.Retrieve(t.Context())
		if strings.Contains(err.Error(), credentials.SecretAccessKey) {
			t.Errorf("the error of %s contains the secret key: %v", action, err)
		}
	}
}

// uploads returns the keys of the unfinished uploads.
func uploads(t *testing.T, s *S3) (keys []string) {
	t.Helper()
	response, err := s.client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &s.bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range response.Uploads {
		keys = append(keys, *u.Key)
	}
	return keys
}

// waitForParts waits until S3 has received a number of parts. S3 may keep parts that arrive while their upload is
// aborted.
func waitForParts(t *testing.T, w *s3Writer, want int) {
	t.Helper()
	for arrived := 0; arrived < want; {
		response, err := w.client.ListParts(t.Context(), &s3.ListPartsInput{
			Bucket: &w.bucket, Key: &w.key, UploadId: w.upload,
		})
		if err != nil {
			t.Fatal(err)
		}
		arrived = len(response.Parts)
	}
}

func wantNoUploads(t *testing.T, s *S3) {
	t.Helper()
	if keys := uploads(t, s); len(keys) > 0 {
		t.Errorf("there are uploads of %q, want none", keys)
	}
}
