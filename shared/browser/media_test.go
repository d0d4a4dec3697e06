package browser

import (
	"context"
	"sync"
	"testing"
)

func TestNoAnswerBeginsOnceAPageIsClosed(t *testing.T) {
	for range 100 {
		m := new(mute)
		m.ctx, m.cancel = context.WithCancel(t.Context())
		var mu sync.Mutex
		closed := false
		var events sync.WaitGroup
		events.Go(func() {
			for range 10 {
				m.begin(func() {
					mu.Lock()
					defer mu.Unlock()
					if closed {
						t.Error("an answer outlives the page")
					}
				})
			}
		})
		m.close()
		mu.Lock()
		closed = true
		mu.Unlock()
		events.Wait()
	}
}
