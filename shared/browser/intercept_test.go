package browser

import (
	"sync"
	"testing"
)

func TestNoAnswerBeginsOnceAPageIsClosed(t *testing.T) {
	for range 100 {
		i := newInterceptor(nil, nil)
		var mu sync.Mutex
		closed := false
		var events sync.WaitGroup
		events.Go(func() {
			for range 10 {
				i.begin(func() {
					mu.Lock()
					defer mu.Unlock()
					if closed {
						t.Error("an answer outlives the page")
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
