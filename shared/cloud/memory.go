package cloud

import (
	"sync"
	"sync/atomic"
	"time"

	"helios/shared/procfs"
)

// memoryPeak records the peak memory use of the machine during a call. In Lambda, the machine runs nothing else.
type memoryPeak struct{ bytes atomic.Int64 }

func (p *memoryPeak) megabytes() int64 { return p.bytes.Load() >> 20 }

// monitor samples the memory use every 500 ms until the caller calls stop.
func (p *memoryPeak) monitor() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	p.sample()
	wg.Go(func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.sample()
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

func (p *memoryPeak) sample() {
	m, err := procfs.ReadMemory()
	if err != nil {
		return
	}
	if used := m.Total - m.Available; used > p.bytes.Load() {
		p.bytes.Store(used)
	}
}
