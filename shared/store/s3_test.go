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

// openS3 returns the store of a new bucket.
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
			t.Errorf("below %q the object a is %s, want %s", test.prefix, got, test.want)
		}
	}
}

// large is more than two parts of an upload, and its last part is smaller than those before it may be.
func large() []byte {
	data := make([]byte, 2*firstParts+123)
	rand.Read(data)
	return data
}

func TestS3Parts(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	data := large()
	for _, piece := range []int{1000, 1 << 20, 3 * firstParts} {
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
			t.Errorf("there are %d uploads", n)
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		wantObject(t, s, "a", string(data))
		head, err := s.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &s.bucket, Key: new("a")})
		if err != nil || !strings.HasSuffix(*head.ETag, `-3"`) {
			t.Errorf("the object was not written in 3 parts: %v, %v", *head.ETag, err)
		}
		if err := s.Remove(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	wantNoUploads(t, s)
}

// Many parts of one size after the other: an object as large as S3 takes stays within its 10,000 parts.
func TestS3PartSizes(t *testing.T) {
	total := int64(0)
	for number := range int32(maxParts) {
		size := partSize(number + 1)
		if size < 5<<20 || size > 5<<30 {
			t.Fatalf("part %d has %d bytes", number+1, size)
		}
		total += int64(size)
	}
	if total < 400<<30 {
		t.Errorf("an object can have only %d bytes", total)
	}
}

func TestS3FirstUploadWins(t *testing.T) {
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
		t.Errorf("%d won", wins)
	}
	wantObject(t, s, "a", winner)
	wantNoUploads(t, s)
}

func TestS3AbortLeavesNoUpload(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	w := create(t, s, "a")
	w.Write(large())
	if n := len(uploads(t, s)); n != 1 {
		t.Errorf("there are %d uploads", n)
	}
	w.Abort()
	wantNoUploads(t, s)
	wantNone(t, s, "a")

	// The end of the context ends the writer, and what it sent is still dropped.
	ctx, cancel := context.WithCancelCause(t.Context())
	w, err := s.Create(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	w.Write(large())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := w.Write(large()); !errors.Is(err, enough) {
		t.Errorf("a write after the end gave %v", err)
	}
	if err := w.Commit(); !errors.Is(err, enough) {
		t.Errorf("a commit after the end gave %v", err)
	}
	w.Abort()
	wantNoUploads(t, s)
	wantNone(t, s, "a")
}

// A writer that was killed leaves its upload to the next writer of the same name, which drops it, but only when it
// has put the object in place itself.
func TestS3DropsUploadsThatWereLeft(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	begun := func(name string) Writer {
		w := create(t, s, name)
		if _, err := w.Write(large()); err != nil {
			t.Fatal(err)
		}
		waitForParts(t, w.(*s3Writer), 2)
		return w
	}
	killed, other := begun("a"), begun("a.b")
	gaveUp := begun("a")
	gaveUp.Abort()
	second, third := begun("a"), begun("a")
	if n := len(uploads(t, s)); n != 4 {
		t.Fatalf("there are %d uploads", n)
	}
	if err := second.Commit(); err != nil {
		t.Fatal(err)
	}
	if keys := uploads(t, s); len(keys) != 2 {
		t.Errorf("the uploads are of %q", keys)
	}
	// The one that is not dead after all may be tried again.
	if err := killed.Commit(); fault.Of(err) != fault.Transient {
		t.Errorf("the commit of an upload that was dropped: %v", err)
	}
	if err := third.Commit(); err != nil {
		t.Errorf("a writer that began later: %v", err)
	}
	if err := other.Commit(); err != nil {
		t.Errorf("a writer of another name: %v", err)
	}
	wantNoUploads(t, s)

	late := begun("a")
	if err := begun("a").Commit(); err != nil {
		t.Fatal(err)
	}
	for range 4 { // until a part is answered
		if _, err := late.Write(large()); err != nil {
			if fault.Of(err) != fault.Transient {
				t.Errorf("writing on where the upload is gone: %v, of kind %s", err, fault.Of(err))
			}
			return
		}
	}
	t.Error("nothing told that the upload was gone")
}

func TestS3ObjectThatChanges(t *testing.T) {
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
		t.Errorf("reading on gave %v", err)
	}
	if !bytes.HasPrefix(old, got) {
		t.Error("old and new were mixed")
	}
	if err := s.Remove(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(make([]byte, 1), r.Size()/2); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading what is gone gave %v", err)
	}
}

func TestS3ReadingEndsWithItsContext(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	put(t, s, "a", string(large()))
	ctx, cancel := context.WithCancelCause(t.Context())
	r, err := s.Open(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	enough := errors.New("enough")
	cancel(enough)
	if _, err := r.ReadAt(make([]byte, 10), r.Size()/2); !errors.Is(err, enough) {
		t.Errorf("ReadAt gave %v", err)
	}
}

func TestS3Refusals(t *testing.T) {
	server := s3test.Start(t)
	s := openS3(t, server, "")
	put(t, s, "a", "x")
	t.Run("missing bucket", func(t *testing.T) {
		missing := NewS3(s.client, "helios-test-missing", "")
		wantRefused(t, missing, "there is no bucket helios-test-missing")
	})
	t.Run("unknown key", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIASOMEBODYELSE")
		other, err := OpenS3(t.Context(), s.bucket, "")
		if err != nil {
			t.Fatal(err)
		}
		wantRefused(t, other, "is denied")
	})
	t.Run("wrong secret", func(t *testing.T) {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "a secret that is wrong")
		other, err := OpenS3(t.Context(), s.bucket, "")
		if err != nil {
			t.Fatal(err)
		}
		wantRefused(t, other, "is denied")
	})
	t.Run("no credentials", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		if _, err := S3Client(t.Context()); fault.Of(err) != fault.User || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
			t.Errorf("S3Client gave %v", err)
		}
	})
	t.Run("no region", func(t *testing.T) {
		t.Setenv("AWS_REGION", "")
		t.Setenv("AWS_ENDPOINT_URL", "")
		if _, err := S3Client(t.Context()); fault.Of(err) != fault.User || !strings.Contains(err.Error(), "AWS_REGION") {
			t.Errorf("S3Client gave %v", err)
		}
	})
}

// wantRefused checks that reading, writing and removing fail as the user's fault, with an error that names the
// object and the action and no secret.
func wantRefused(t *testing.T, s *S3, text string) {
	t.Helper()
	_, opening := s.Open(t.Context(), "a")
	small := create(t, s, "a")
	io.WriteString(small, "x")
	_, writing := create(t, s, "a").Write(large())
	for action, err := range map[string]error{
		"GetObject": opening, "PutObject": small.CommitNew(), "CreateMultipartUpload": writing, "DeleteObject": s.Remove(t.Context(), "a"),
	} {
		if fault.Of(err) != fault.User || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s gave %v, of kind %s", action, err, fault.Of(err))
			continue
		}
		for _, want := range []string{text, action, s.URL("a")} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s gave %q, without %q", action, err, want)
			}
		}
		if secret, _ := s.client.Options().Credentials.Retrieve(t.Context()); strings.Contains(err.Error(), secret.SecretAccessKey) {
			t.Errorf("%s tells the secret: %v", action, err)
		}
	}
}

func uploads(t *testing.T, s *S3) (keys []string) {
	t.Helper()
	answer, err := s.client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &s.bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range answer.Uploads {
		keys = append(keys, *u.Key)
	}
	return keys
}

// waitForParts waits until parts of an upload have arrived: S3 may keep those that arrive while it is dropped.
func waitForParts(t *testing.T, w *s3Writer, want int) {
	t.Helper()
	for arrived := 0; arrived < want; {
		answer, err := w.client.ListParts(t.Context(), &s3.ListPartsInput{Bucket: &w.bucket, Key: &w.key, UploadId: w.upload})
		if err != nil {
			t.Fatal(err)
		}
		arrived = len(answer.Parts)
	}
}

func wantNoUploads(t *testing.T, s *S3) {
	t.Helper()
	if keys := uploads(t, s); len(keys) > 0 {
		t.Errorf("uploads of %q were left behind", keys)
	}
}
