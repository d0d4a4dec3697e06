package cloud

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
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
	var total, available int64
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		switch f[0] {
		case "MemTotal:":
			total, _ = strconv.ParseInt(f[1], 10, 64)
		case "MemAvailable:":
			available, _ = strconv.ParseInt(f[1], 10, 64)
		}
	}
	if used := (total - available) << 10; used > p.bytes.Load() {
		p.bytes.Store(used)
	}
}
