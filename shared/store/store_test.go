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

// testStore is what every store must do, whatever holds its bytes. Each store that open returns is empty.
func testStore(t *testing.T, open func(t *testing.T) Store) {
	t.Run("an object is there after its commit, and not before", func(t *testing.T) {
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
	t.Run("an object may be empty", func(t *testing.T) {
		s := open(t)
		if err := create(t, s, "nothing").Commit(); err != nil {
			t.Fatal(err)
		}
		wantObject(t, s, "nothing", "")
	})
	t.Run("a commit replaces", func(t *testing.T) {
		s := open(t)
		put(t, s, "a", "a longer old one")
		put(t, s, "a", "new")
		wantObject(t, s, "a", "new")
	})
	t.Run("who reads the old one goes on reading it", func(t *testing.T) {
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
	t.Run("of new commits the first wins", func(t *testing.T) {
		s := open(t)
		first, second := create(t, s, "a"), create(t, s, "a")
		io.WriteString(first, "first")
		io.WriteString(second, "second")
		if err := first.CommitNew(); err != nil {
			t.Fatal(err)
		}
		if err := second.CommitNew(); !errors.Is(err, fs.ErrExist) {
			t.Errorf("the second CommitNew gave %v", err)
		}
		second.Abort()
		wantObject(t, s, "a", "first")
	})
	t.Run("of many at once exactly one wins", func(t *testing.T) {
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
					t.Errorf("both %s and %s won", winner, text)
				case !errors.Is(err, fs.ErrExist):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantObject(t, s, "a", winner)
	})
	t.Run("an abort leaves nothing", func(t *testing.T) {
		s := open(t)
		w := create(t, s, "a")
		io.WriteString(w, "half")
		w.Abort()
		w.Abort()
		wantNone(t, s, "a")
	})
	t.Run("an abort leaves what was there", func(t *testing.T) {
		s := open(t)
		put(t, s, "a", "old")
		w := create(t, s, "a")
		io.WriteString(w, "half")
		w.Abort()
		wantObject(t, s, "a", "old")
	})
	t.Run("removing", func(t *testing.T) {
		s := open(t)
		put(t, s, "a", "x")
		for range 2 { // the second time it is not there
			if err := s.Remove(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			wantNone(t, s, "a")
		}
		if err := s.Remove(t.Context(), "a/b/c"); err != nil {
			t.Errorf("removing what is nowhere: %v", err)
		}
	})
	t.Run("a reader reads at several places at once", func(t *testing.T) {
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
					t.Errorf("part %d is wrong", i)
				}
			})
		}
		wg.Wait()
		if n, err := r.ReadAt(make([]byte, 10), r.Size()-4); n != 4 || err != io.EOF {
			t.Errorf("reading over the end gave %d, %v", n, err)
		}
	})
	for _, name := range []string{
		"chunks/deep/down/a.mp4", "-rf", "--", "*?[a-z]{x,y}.mp4", "two\nlines", "a b\tc", "日本語.mp4", "100%25.mp4", `back\slash`,
		"'\"$(x)`", "#?&=+", ".hidden", "a.partial-b", "..mp4", strings.Repeat("n", 200),
	} {
		t.Run("a name like "+name, func(t *testing.T) {
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
		t.Errorf("%q holds %q in %d bytes, want %q", name, got, r.Size(), want)
	}
}

func wantNone(t *testing.T, s Store, name string) {
	t.Helper()
	if r, err := s.Open(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening %q, which is not there, gave %v", name, err)
		if err == nil {
			r.Close()
		}
	}
}
