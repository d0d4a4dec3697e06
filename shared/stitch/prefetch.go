package stitch

import (
	"context"
	"iter"
)

// Loader loads item i of a list.
type Loader[T any] func(ctx context.Context, i int) (T, error)

// Prefetch loads the items 0 to n-1, up to width concurrently, and yields them in order. This hides the latency of S3.
// Prefetch stops after the first error. It passes items that it loaded but did not yield to drop, unless drop is nil.
// When the loop ends, all loads have returned.
func Prefetch[T any](ctx context.Context, n, width int, load Loader[T], drop func(T)) iter.Seq2[T, error] {
	type result struct {
		item T
		err  error
	}
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		slots := make([]chan result, min(n, width))
		for i := range slots {
			slots[i] = make(chan result, 1)
		}
		started := 0
		start := func() {
			i := started
			started++
			go func() {
				var r result
				if r.err = ctx.Err(); r.err == nil {
					r.item, r.err = load(ctx, i)
				}
				slots[i%len(slots)] <- r
			}()
		}
		received := 0
		defer func() {
			cancel()
			for ; received < started; received++ {
				if r := <-slots[received%len(slots)]; r.err == nil && drop != nil {
					drop(r.item)
				}
			}
		}()
		for range slots {
			start()
		}
		for received < n {
			r := <-slots[received%len(slots)]
			received++
			if started < n {
				start()
			}
			if !yield(r.item, r.err) || r.err != nil {
				return
			}
		}
	}
}
