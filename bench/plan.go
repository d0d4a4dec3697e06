package main

import (
	"fmt"
	"io"
	"time"

	"helios/shared/job"
	"helios/shared/plan"
)

// benchPlan plans the job with the most partitions.
func benchPlan(out io.Writer) error {
	m, err := measure(func() error {
		_, err := plan.New(plan.Options{
			Config: job.Config{
				Input: "page.html", Duration: job.SecondsOf(24 * time.Hour), FPS: job.Rate{Num: 60, Den: 1},
			},
			Concurrency: job.MaxPartitions,
		})
		return err
	})
	fmt.Fprintf(out, "\tplan %d partitions\t%d ms wall\t%d ms CPU\t\n",
		job.MaxPartitions, m.wall.Milliseconds(), m.cpu.Milliseconds())
	return err
}
