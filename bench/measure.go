package main

import (
	"runtime"
	"sync"
	"syscall"
	"time"
)

// sampleInterval is the time between two samples of a render.
const sampleInterval = 250 * time.Millisecond

// measurement contains the resources of a stage.
type measurement struct {
	wall, cpu  time.Duration
	firstFrame time.Duration // time until the first frame of a render
	memory     int64         // highest memory of a render, in bytes
}

// cpuTime returns the CPU time of this process and its descendants.
var cpuTime = processTreeCPU

func measure(f func() error) (measurement, error) {
	wall, cpu := time.Now(), cpuTime()
	err := f()
	return measurement{wall: time.Since(wall), cpu: cpuTime() - cpu}, err
}

// startSampling measures a render until stop is called. It samples the CPU time, too, because processTreeCPU loses that
// of Chromium when Chromium ends.
func startSampling() (stop func() measurement) {
	var m measurement
	var overhead time.Duration // CPU time of sampling, up to 5 % of a processor
	wall, cpu := time.Now(), cpuTime()
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread()
		start := rusage(syscall.RUSAGE_THREAD)
		for ticks := time.Tick(sampleInterval); ; {
			select {
			case <-done:
				return
			case <-ticks:
				m.memory = max(m.memory, memory())
				overhead = rusage(syscall.RUSAGE_THREAD) - start
				m.cpu = max(m.cpu, cpuTime()-cpu-overhead)
			}
		}
	})
	return func() measurement {
		totalWall, totalCPU := time.Since(wall), cpuTime()-cpu
		close(done)
		wg.Wait()
		m.wall, m.cpu = totalWall, max(m.cpu, totalCPU-overhead)
		return m
	}
}
