package cloud

import "math"

// Prices are list prices in US dollars.
type Prices struct {
	Date   string `json:"date"` // of the price list, YYYY-MM-DD
	Region string `json:"region"`
	// GBSecond is the price of 1 GB of function memory for one second.
	GBSecond float64 `json:"lambdaGBSecond"`
	// Invocation is the price of one call of a function.
	Invocation float64 `json:"lambdaInvocation"`
	// Transition is the price of one state transition of a standard workflow.
	Transition float64 `json:"transition"`
	// Put and Get are the prices of one S3 request of the two price classes.
	Put float64 `json:"put"`
	Get float64 `json:"get"`
}

// PricesOf returns the list prices for an architecture, arm64 or x86_64. They do not include free tiers, storage,
// data transfer and logs.
func PricesOf(architecture string) Prices {
	p := Prices{
		Date: "2026-11-22", Region: "us-east-1",
		GBSecond: 0.0000133334, Invocation: 0.20 / 1e6, Transition: 0.025 / 1000, Put: 0.005 / 1000, Get: 0.0004 / 1000,
	}
	if architecture == "x86_64" {
		p.GBSecond = 0.0000166667
	}
	return p
}

// Cost is the cost of a job in US dollars.
type Cost struct {
	Lambda      float64 `json:"lambda"`
	Transitions float64 `json:"transitions"`
	S3          float64 `json:"s3"`
	Total       float64 `json:"total"`
}

// cost returns the cost of all attempts and of a number of transitions, rounded to $0.0000001.
func (p Prices) cost(usage []Usage, transitions int) (c Cost) {
	for _, u := range usage {
		c.Lambda += float64(u.Milliseconds)/1000*float64(u.MemoryMB)/1024*p.GBSecond + p.Invocation
		c.S3 += float64(u.Puts)*p.Put + float64(u.Gets)*p.Get
	}
	c.Transitions = float64(transitions) * p.Transition
	for _, d := range []*float64{&c.Lambda, &c.S3, &c.Transitions} {
		*d = math.Round(*d*1e7) / 1e7
	}
	c.Total = math.Round((c.Lambda+c.S3+c.Transitions)*1e7) / 1e7
	return c
}
