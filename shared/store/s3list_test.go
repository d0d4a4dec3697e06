package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"helios/shared/fault"
	"helios/shared/store/s3test"
)

// More objects than one answer lists are listed all, and only those below the store's prefix.
func TestS3List(t *testing.T) {
	server := s3test.Start(t)
	s := openS3(t, server, "jobs/x")
	var want []string
	for i := range 1100 {
		name := fmt.Sprintf("progress/%05d.a", i)
		put(t, s, name, "12345")
		want = append(want, s.Key(name))
	}
	put(t, s, "report.json", "{}")
	put(t, NewS3(s.client, s.bucket, ""), "jobs/xy/progress/0", "")
	list, err := s.List(t.Context(), "progress/")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range list {
		got = append(got, o.Key)
		if o.Size != 5 || o.Modified.IsZero() {
			t.Fatalf("%s has %d bytes, of %s", o.Key, o.Size, o.Modified)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d objects are listed", len(got))
	}
	if list, err := s.List(t.Context(), "none/"); err != nil || len(list) != 0 {
		t.Errorf("%d objects of none, %v", len(list), err)
	}
	if _, err := NewS3(s.client, "helios-test-missing", "").List(t.Context(), ""); fault.Of(err) != fault.User {
		t.Errorf("of a bucket that is not there: %v", err)
	}
}

func TestS3Copy(t *testing.T) {
	s := openS3(t, s3test.Start(t), "sites")
	const from = "50% a+b#é 日本.js"
	put(t, s, from, "text")
	put(t, s, "b", "another")
	if err := s.Copy(t.Context(), from, "b"); err != nil {
		t.Fatal(err)
	}
	wantObject(t, s, "b", "text")
	if err := s.Copy(t.Context(), "none", "b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("copying what is not there: %v", err)
	}
	wantObject(t, s, "b", "text")
}

func TestGet(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	for _, data := range [][]byte{nil, []byte("a"), large()} {
		put(t, s, "a", string(data))
		var got bytes.Buffer
		if err := Get(t.Context(), s, "a", &got); err != nil || !bytes.Equal(got.Bytes(), data) {
			t.Errorf("of %d bytes there came %d: %v", len(data), got.Len(), err)
		}
	}
	if err := Get(t.Context(), s, "none", new(bytes.Buffer)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there gave %v", err)
	}
}
