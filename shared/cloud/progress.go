package cloud

import (
	"context"
	"encoding/json"
	"path"
	"time"
)

// progressInterval is the shortest time between two progress objects of an attempt. A PUT request costs $5 per
// million: at this interval, 1,000 partitions cost $6 per hour.
const progressInterval = 3 * time.Second

// Progress is the progress of a job.
type Progress struct {
	// Frames is the number of rendered frames. It does not decrease when a partition is retried.
	Frames int64 `json:"frames"`
	// Done is the number of partitions that are done, Failed the number of attempts that failed.
	Done   int `json:"done"`
	Failed int `json:"failed"`
	// Partitions contains the partitions that have started, by id.
	Partitions map[int]PartitionProgress `json:"partitions"`
	// Dollars is the cost so far, without state transitions.
	Dollars float64 `json:"dollars"`
	// Usage contains all attempts at all units of work.
	Usage []Usage `json:"-"`
}

// PartitionProgress is the progress of a partition.
type PartitionProgress struct {
	State State `json:"state"`
	// Frames is the number of frames of the attempt that rendered the most.
	Frames   int64 `json:"frames"`
	Attempts int   `json:"attempts"`
	// Milliseconds is the total time of all attempts, UsedMB the highest memory use of any.
	Milliseconds int64 `json:"ms"`
	UsedMB       int64 `json:"usedMB"`
	// Updated is the time of the latest progress object.
	Updated time.Time `json:"updated"`
}

// ReadProgress returns the progress of a job. It makes one request per thousand attempts.
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
		if !q.State.done() && (u.modified.After(q.Updated) || u.State.done()) {
			q.State = u.State
		}
		if u.modified.After(q.Updated) {
			q.Updated = u.modified
		}
		p.Partitions[id] = q
	}
	for _, q := range p.Partitions {
		p.Frames += q.Frames
		if q.State.done() {
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

// latestUsage returns the latest usage of each attempt. An attempt can have two progress objects, because it writes
// the new one before it deletes the old one.
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

// progressWriter writes the progress of one attempt. Each write creates an object with a new key and deletes the
// previous one.
type progressWriter struct {
	bucket *Bucket
	keys   JobKeys
	last   string    // key
	tried  time.Time // when write was last called
}

// write stores u. While the attempt is running, it ignores errors of S3, because that progress is optional.
func (w *progressWriter) write(ctx context.Context, u Usage, log Log) error {
	key := w.keys.Progress() + u.Name()
	w.tried = time.Now()
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
		// If this fails, readers ignore the old object: see latestUsage.
		_ = w.bucket.Delete(ctx, w.last)
	}
	w.last = key
	return nil
}

// due reports whether the progress interval has elapsed.
func (w *progressWriter) due() bool { return time.Since(w.tried) >= progressInterval }
