package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testStore tests the contract of [Store]. Each call of open returns an empty store.
func testStore(t *testing.T, open func(t *testing.T) Store) {
	t.Run("an object exists after its commit, not before", func(t *testing.T) {
		s := open(t)
		w := create(t, s, "chunk.mp4")
		if _, err := io.WriteString(w, "frames"); err != nil {
			t.Fatal(err)
		}
		wantNone(t, s, "chunk.mp4")
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		wantObject(t, s, "chunk.mp4", "frames")
		w.Abort()
		wantObject(t, s, "chunk.mp4", "frames")
	})
	t.Run("empty object", func(t *testing.T) {
		s := open(t)
		if err := create(t, s, "empty").Commit(); err != nil {
			t.Fatal(err)
		}
		wantObject(t, s, "empty", "")
	})
	t.Run("Commit replaces an object", func(t *testing.T) {
		s := open(t)
		put(t, s, "a", "old and longer")
		put(t, s, "a", "new")
		wantObject(t, s, "a", "new")
	})
	t.Run("a reader continues with the old version", func(t *testing.T) {
		s := open(t)
		put(t, s, "a", "old")
		r, err := s.Open(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		put(t, s, "a", "new")
		if got := read(t, r); got != "old" {
			t.Errorf("read %q", got)
		}
	})
	t.Run("the first CommitNew wins", func(t *testing.T) {
		s := open(t)
		first, second := create(t, s, "a"), create(t, s, "a")
		io.WriteString(first, "first")
		io.WriteString(second, "second")
		if err := first.CommitNew(); err != nil {
			t.Fatal(err)
		}
		if err := second.CommitNew(); !errors.Is(err, fs.ErrExist) {
			t.Errorf("the second CommitNew returned %v, want fs.ErrExist", err)
		}
		second.Abort()
		wantObject(t, s, "a", "first")
	})
	t.Run("one of several concurrent CommitNew wins", func(t *testing.T) {
		s := open(t)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var winner string
		for _, text := range strings.Fields("one two three four five six seven eight") {
			w := create(t, s, "a")
			io.WriteString(w, text)
			wg.Go(func() {
				err := w.CommitNew()
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil && winner == "":
					winner = text
				case err == nil:
					t.Errorf("CommitNew of %s and of %s succeeded", winner, text)
				case !errors.Is(err, fs.ErrExist):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantObject(t, s, "a", winner)
	})
	t.Run("Abort leaves no object", func(t *testing.T) {
		s := open(t)
		w := create(t, s, "a")
		io.WriteString(w, "half")
		w.Abort()
		w.Abort()
		wantNone(t, s, "a")
	})
	t.Run("Abort keeps the existing object", func(t *testing.T) {
		s := open(t)
		put(t, s, "a", "old")
		w := create(t, s, "a")
		io.WriteString(w, "half")
		w.Abort()
		wantObject(t, s, "a", "old")
	})
	t.Run("Remove", func(t *testing.T) {
		s := open(t)
		put(t, s, "a", "x")
		for range 2 { // the second time, the object is missing
			if err := s.Remove(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			wantNone(t, s, "a")
		}
		if err := s.Remove(t.Context(), "a/b/c"); err != nil {
			t.Errorf("Remove in a missing folder returned %v", err)
		}
	})
	t.Run("concurrent reads", func(t *testing.T) {
		s := open(t)
		want := bytes.Repeat([]byte("0123456789abcdef"), 1<<12)
		put(t, s, "a", string(want))
		r, err := s.Open(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				part := make([]byte, len(want)/8)
				if _, err := r.ReadAt(part, int64(i*len(part))); err != nil && err != io.EOF {
					t.Error(err)
				}
				if !bytes.Equal(part, want[i*len(part):][:len(part)]) {
					t.Errorf("part %d has different content", i)
				}
			})
		}
		wg.Wait()
		if n, err := r.ReadAt(make([]byte, 10), r.Size()-4); n != 4 || err != io.EOF {
			t.Errorf("ReadAt beyond the end returned %d, %v, want 4, EOF", n, err)
		}
	})
	for _, name := range []string{
		"chunks/deep/down/a.mp4", "-rf", "--", "*?[a-z]{x,y}.mp4", "two\nlines", "a b\tc", "日本語.mp4", "100%25.mp4",
		`back\slash`, "'\"$(x)`", "#?&=+", ".hidden", "a.partial-b", "..mp4", strings.Repeat("n", 200),
	} {
		t.Run("name "+name, func(t *testing.T) {
			s := open(t)
			w := create(t, s, name)
			io.WriteString(w, "x")
			wantNone(t, s, name)
			if err := w.CommitNew(); err != nil {
				t.Fatal(err)
			}
			wantObject(t, s, name, "x")
			if err := s.Remove(t.Context(), name); err != nil {
				t.Error(err)
			}
			wantNone(t, s, name)
		})
	}
}

func create(t *testing.T, s Store, name string) Writer {
	t.Helper()
	w, err := s.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Abort)
	return w
}

func put(t *testing.T, s Store, name, text string) {
	t.Helper()
	w := create(t, s, name)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, r Reader) string {
	t.Helper()
	text, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantObject(t *testing.T, s Store, name, want string) {
	t.Helper()
	r, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got := read(t, r); got != want || r.Size() != int64(len(want)) {
		t.Errorf("%q contains %q in %d bytes, want %q", name, got, r.Size(), want)
	}
}

func wantNone(t *testing.T, s Store, name string) {
	t.Helper()
	if r, err := s.Open(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open(%q) returned %v, want fs.ErrNotExist", name, err)
		if err == nil {
			r.Close()
		}
	}
}
