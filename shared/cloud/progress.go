package cloud

import (
	"context"
	"encoding/json"
	"path"
	"time"
)

// progressInterval is the shortest time between two keys of an attempt: at 5 dollars per million, a thousand
// partitions cost 9 dollars an hour at one per second, and a third of that so.
const progressInterval = 3 * time.Second

// Progress is how far a job is.
type Progress struct {
	// Frames is how many are done. It never goes down, also when a partition starts again.
	Frames int64 `json:"frames"`
	// Done is how many partitions are, Failed how many attempts have.
	Done   int `json:"done"`
	Failed int `json:"failed"`
	// Partitions are those that were begun, by id.
	Partitions map[int]PartitionProgress `json:"partitions"`
	// Dollars is the cost so far.
	Dollars float64 `json:"dollars"`
	// Usage is each attempt at each unit of work.
	Usage []Usage `json:"-"`
}

// PartitionProgress is how far a partition is.
type PartitionProgress struct {
	State State `json:"state"`
	// Frames is how many the attempt that got furthest has done.
	Frames   int64 `json:"frames"`
	Attempts int   `json:"attempts"`
	// Milliseconds is what all attempts took, UsedMB the most memory.
	Milliseconds int64 `json:"ms"`
	UsedMB       int64 `json:"usedMB"`
	// Updated is when the last of them was attemptUsage of.
	Updated time.Time `json:"updated"`
}

// ReadProgress finds out how far a job is, by one request for each thousand attempts.
func ReadProgress(ctx context.Context, b *Bucket, jobID string, prices Prices) (*Progress, error) {
	list, err := b.List(ctx, Job(jobID).Progress())
	if err != nil {
		return nil, err
	}
	return progressOf(list, prices), nil
}

func progressOf(list []Object, prices Prices) *Progress {
	p := &Progress{Partitions: map[int]PartitionProgress{}}
	for _, u := range latestUsage(list) {
		p.Usage = append(p.Usage, u.Usage)
		id, ok := u.Partition()
		if !ok {
			continue
		}
		q := p.Partitions[id]
		q.Attempts++
		q.Milliseconds += u.Milliseconds
		q.UsedMB = max(q.UsedMB, u.UsedMB)
		q.Frames = max(q.Frames, u.Frames)
		if u.State == Failed {
			p.Failed++
		}
		finished := q.State == Done || q.State == Kept
		if !finished && (u.modified.After(q.Updated) || u.State == Done || u.State == Kept) {
			q.State = u.State
		}
		if u.modified.After(q.Updated) {
			q.Updated = u.modified
		}
		p.Partitions[id] = q
	}
	for _, q := range p.Partitions {
		p.Frames += q.Frames
		if q.State == Done || q.State == Kept {
			p.Done++
		}
	}
	p.Dollars = prices.cost(p.Usage, 0).Total
	return p
}

type attemptUsage struct {
	Usage
	modified time.Time
}

// newest returns the last that was attemptUsage of each attempt: between the writing of a key and the deletion of the
// one before, both are there.
func latestUsage(list []Object) []attemptUsage {
	var all []attemptUsage
	index := map[[2]string]int{}
	for _, o := range list {
		u, ok := ParseUsage(path.Base(o.Key))
		if !ok {
			continue
		}
		id := [2]string{u.Unit, u.Attempt}
		i, known := index[id]
		switch {
		case !known:
			index[id] = len(all)
			all = append(all, attemptUsage{u, o.Modified})
		case u.Milliseconds > all[i].Milliseconds || u.Milliseconds == all[i].Milliseconds && u.State != Running:
			all[i] = attemptUsage{u, o.Modified}
		}
	}
	return all
}

// progressWriter tells how far an attempt is: each state is a new key, and the one before goes.
type progressWriter struct {
	bucket *Bucket
	keys   JobKeys
	last   string
	when   time.Time
}

// tell writes a state. Only what is final must not be lost: a running one is not worth an error.
func (w *progressWriter) write(ctx context.Context, u Usage, log Log) error {
	key := w.keys.Progress() + u.Name()
	w.when = time.Now()
	if key == w.last {
		return nil
	}
	body, err := json.Marshal(log)
	if err != nil {
		return err
	}
	if err := w.bucket.Put(ctx, key, body); err != nil {
		if u.State == Running {
			return nil
		}
		return err
	}
	if w.last != "" {
		// One that stays is older, and readers know that.
		_ = w.bucket.Delete(ctx, w.last)
	}
	w.last = key
	return nil
}

// due reports whether it is time to tell a running state again.
func (w *progressWriter) due() bool { return time.Since(w.when) >= progressInterval }
