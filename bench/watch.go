package main

import (
	"sync"
	"time"
)

// watchEvery is how often a running render is looked at.
const watchEvery = 250 * time.Millisecond

// every calls look again and again until stop is called, which waits for the last call.
func every(look func()) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				look()
			}
		}
	})
	return sync.OnceFunc(func() { close(done); wg.Wait() })
}

// watchMemory follows how much memory is in use; peak is valid after stop.
func watchMemory() (peak func() int64, stop func()) {
	var most int64
	stop = every(func() { most = max(most, memory()) })
	return func() int64 { return most }, stop
}

// watchCPU follows the processor time of processes that may end at any moment, and returns a function that
// stops and tells how much was used since.
func watchCPU() func() time.Duration {
	var before, most = cpuTime(), cpuTime()
	stop := every(func() { most = max(most, cpuTime()) })
	return func() time.Duration {
		stop()
		return max(most, cpuTime()) - before
	}
}
