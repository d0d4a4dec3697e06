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

// A listing of several pages is complete, and contains only objects with the prefix of the store.
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
			t.Fatalf("%s has %d bytes and was modified at %s", o.Key, o.Size, o.Modified)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d objects are listed, want %d", len(got), len(want))
	}
	if list, err := s.List(t.Context(), "none/"); err != nil || len(list) != 0 {
		t.Errorf("List of an unused prefix returned %d objects, %v", len(list), err)
	}
	if _, err := NewS3(s.client, "helios-test-missing", "").List(t.Context(), ""); fault.Of(err) != fault.User {
		t.Errorf("List of a missing bucket returned %v", err)
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
		t.Errorf("Copy of a missing object returned %v", err)
	}
	wantObject(t, s, "b", "text")
}

func TestGet(t *testing.T) {
	s := openS3(t, s3test.Start(t), "")
	for _, data := range [][]byte{nil, []byte("a"), large()} {
		put(t, s, "a", string(data))
		var got bytes.Buffer
		if err := Get(t.Context(), s, "a", &got); err != nil || !bytes.Equal(got.Bytes(), data) {
			t.Errorf("Get of %d bytes returned %d bytes, %v", len(data), got.Len(), err)
		}
	}
	if err := Get(t.Context(), s, "none", new(bytes.Buffer)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get of a missing object returned %v", err)
	}
}
