package stitch

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		do := func(_ context.Context, i int) (int, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			time.Sleep(time.Duration(20-i%7) * time.Millisecond)
			return i, nil
		}
		next := 0
		for v, err := range ahead(t.Context(), 50, 4, do, nil) {
			if v != next || err != nil {
				t.Fatalf("got %d, %v, want %d", v, err, next)
			}
			next++
		}
		if next != 50 || most.Load() != 4 {
			t.Errorf("got %d results from %d calls at once, want 50 from 4", next, most.Load())
		}
	})
}

// Whatever ends the loop, no call goes on and no result is lost.
func TestAheadEnds(t *testing.T) {
	failed := errors.New("failed")
	for name, tt := range map[string]struct {
		failAt, stopAt int
	}{
		"error": {failAt: 5, stopAt: -1},
		"break": {failAt: -1, stopAt: 5},
	} {
		t.Run(name, func(t *testing.T) {
			var made, dropped atomic.Int64
			do := func(_ context.Context, i int) (int, error) {
				if i == tt.failAt {
					return 0, failed
				}
				made.Add(1)
				return i, nil
			}
			taken := int64(0)
			var last error
			for v, err := range ahead(t.Context(), 100, 4, do, func(int) { dropped.Add(1) }) {
				if last = err; err == nil {
					taken++
				}
				if v == tt.stopAt {
					break
				}
			}
			if tt.failAt >= 0 && (last != failed || taken != 5) {
				t.Errorf("ended with %v after %d results", last, taken)
			}
			if taken+dropped.Load() != made.Load() {
				t.Errorf("%d results made, %d taken, %d dropped", made.Load(), taken, dropped.Load())
			}
		})
	}
}
