package stitch

import (
	"context"
	"iter"
)

// ahead calls do for 0 to n-1, up to width calls at once, and yields the results in order. It ends with
// the first error. Results that are not taken go to drop, if that is not nil.
func ahead[T any](ctx context.Context, n, width int, do func(context.Context, int) (T, error), drop func(T)) iter.Seq2[T, error] {
	type result struct {
		v   T
		err error
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
					r.v, r.err = do(ctx, i)
				}
				slots[i%len(slots)] <- r
			}()
		}
		taken := 0
		defer func() {
			cancel()
			for ; taken < started; taken++ {
				if r := <-slots[taken%len(slots)]; r.err == nil && drop != nil {
					drop(r.v)
				}
			}
		}()
		for range slots {
			start()
		}
		for taken < n {
			r := <-slots[taken%len(slots)]
			taken++
			if started < n {
				start()
			}
			if !yield(r.v, r.err) || r.err != nil {
				return
			}
		}
	}
}
