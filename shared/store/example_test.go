package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"strings"

	"helios/shared/store"
)

// An object exists after the commit, not before.
func Example() {
	ctx := context.Background()
	st, remove := tempStore()
	defer remove()

	w, err := st.Create(ctx, "chunks/0.mp4")
	if err != nil {
		log.Fatal(err)
	}
	defer w.Abort() // does nothing after the commit
	fmt.Fprintln(w, "the content of the chunk")

	_, err = st.Open(ctx, "chunks/0.mp4")
	fmt.Println("missing before the commit:", errors.Is(err, fs.ErrNotExist))

	if err := w.Commit(); err != nil {
		log.Fatal(err)
	}
	if err := store.Get(ctx, st, "chunks/0.mp4", os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// missing before the commit: true
	// the content of the chunk
}

// If two writers use CommitNew, the second one fails.
func ExamplePut() {
	ctx := context.Background()
	st, remove := tempStore()
	defer remove()

	for _, text := range []string{"first", "second"} {
		err := store.Put(ctx, st, "result", strings.NewReader(text), store.Writer.CommitNew)
		fmt.Printf("%s: fs.ErrExist %t\n", text, errors.Is(err, fs.ErrExist))
	}
	if err := store.Get(ctx, st, "result", os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// first: fs.ErrExist false
	// second: fs.ErrExist true
	// first
}

// A Reader reads ranges of an object.
func ExampleReader() {
	ctx := context.Background()
	st, remove := tempStore()
	defer remove()
	if err := store.Put(ctx, st, "a.txt", strings.NewReader("0123456789"), store.Writer.Commit); err != nil {
		log.Fatal(err)
	}

	r, err := st.Open(ctx, "a.txt")
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	b := make([]byte, 3)
	if _, err := r.ReadAt(b, 4); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s of %d bytes\n", b, r.Size())
	// Output: 456 of 10 bytes
}

// tempStore returns a store in a new temporary folder, and a function that removes it.
func tempStore() (st store.Store, remove func()) {
	dir, err := os.MkdirTemp("", "store-example-")
	if err != nil {
		log.Fatal(err)
	}
	return store.Dir(dir), func() { os.RemoveAll(dir) }
}
