package main

import (
	"runtime"
	"sync"
	"syscall"
	"time"
)

// watchEvery is how often a running render is sampled.
const watchEvery = 250 * time.Millisecond

// measurement is what a stage took. Only renders have a first frame and a peak of memory.
type measurement struct {
	wall, cpu, first time.Duration
	peak             int64
}

// cpuTime is the CPU time of this process and its descendants.
var cpuTime = walkedCPU

func measure(do func() error) (measurement, error) {
	wall, cpu := time.Now(), cpuTime()
	err := do()
	return measurement{wall: time.Since(wall), cpu: cpuTime() - cpu}, err
}

// watch measures until stop is called. It samples CPU time, too: walkedCPU loses that of Chromium when Chromium ends.
func watch() (stop func() measurement) {
	var m measurement
	var own time.Duration // what sampling takes, up to 5 % of a processor
	began, before := time.Now(), cpuTime()
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread()
		start := rusage(syscall.RUSAGE_THREAD)
		for ticks := time.Tick(watchEvery); ; {
			select {
			case <-done:
				return
			case <-ticks:
				m.peak = max(m.peak, memory())
				own = rusage(syscall.RUSAGE_THREAD) - start
				m.cpu = max(m.cpu, cpuTime()-before-own)
			}
		}
	})
	return func() measurement {
		wall, cpu := time.Since(began), cpuTime()-before
		close(done)
		wg.Wait()
		m.wall, m.cpu = wall, max(m.cpu, cpu-own)
		return m
	}
}
