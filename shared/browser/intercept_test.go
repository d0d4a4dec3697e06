package browser

import (
	"sync"
	"testing"
)

func TestNoResponseStartsAfterClose(t *testing.T) {
	for range 100 {
		i := newInterceptor(nil, nil)
		var mu sync.Mutex
		closed := false
		var events sync.WaitGroup
		events.Go(func() {
			for range 10 {
				i.start(func() {
					mu.Lock()
					defer mu.Unlock()
					if closed {
						t.Error("a response runs after close")
					}
				})
			}
		})
		i.close()
		mu.Lock()
		closed = true
		mu.Unlock()
		events.Wait()
	}
}
