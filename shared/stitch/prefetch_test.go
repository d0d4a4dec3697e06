package stitch

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPrefetchKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		load := func(_ context.Context, i int) (int, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			time.Sleep(time.Duration(20-i%7) * time.Millisecond)
			return i, nil
		}
		next := 0
		for v, err := range Prefetch(t.Context(), 50, 4, load, nil) {
			if v != next || err != nil {
				t.Fatalf("got %d, %v, want %d", v, err, next)
			}
			next++
		}
		if next != 50 || most.Load() != 4 {
			t.Errorf("got %d items with %d loads at a time, want 50 with 4", next, most.Load())
		}
	})
}

// When the loop ends early, every load has returned, and every item was either yielded or dropped.
func TestPrefetchEndsEarly(t *testing.T) {
	failed := errors.New("failed")
	for name, tt := range map[string]struct {
		failAt, stopAt int
	}{
		"error": {failAt: 5, stopAt: -1},
		"break": {failAt: -1, stopAt: 5},
	} {
		t.Run(name, func(t *testing.T) {
			var loaded, dropped atomic.Int64
			load := func(_ context.Context, i int) (int, error) {
				if i == tt.failAt {
					return 0, failed
				}
				loaded.Add(1)
				return i, nil
			}
			yielded := int64(0)
			var last error
			for v, err := range Prefetch(t.Context(), 100, 4, load, func(int) { dropped.Add(1) }) {
				if last = err; err == nil {
					yielded++
				}
				if v == tt.stopAt {
					break
				}
			}
			if tt.failAt >= 0 && (last != failed || yielded != 5) {
				t.Errorf("ended with %v after %d items", last, yielded)
			}
			if yielded+dropped.Load() != loaded.Load() {
				t.Errorf("%d items were loaded, %d yielded, %d dropped", loaded.Load(), yielded, dropped.Load())
			}
		})
	}
}
