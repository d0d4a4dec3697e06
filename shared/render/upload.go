package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/store"
	"helios/shared/tempfile"
)

// ToStore renders the partition to an object of a store.
//
// ToStore is idempotent, and several calls may run concurrently. If the object is already the complete chunk of this
// partition, ToStore reports [PartitionKept] and renders nothing. Any other object is replaced. Of several concurrent
// calls, the first one to finish writes the chunk, and all succeed.
func (p Partition) ToStore(ctx context.Context, chunks store.Store, name string) error {
	dir, err := tempfile.MkdirTemp("")
	if err != nil {
		return fmt.Errorf("creating a folder for the chunk: %w", err)
	}
	defer dir.Remove()
	u := &upload{chunks: chunks, report: p.Report}
	local := store.Dir(dir.Path())
	p.Report = u.filter
	u.job = p.job(local, path.Base(name))
	if u.job.tools, err = FindTools(ctx); err != nil {
		return err
	}
	u.partition = u.job.Spec.Partitions[p.ID.Partition]
	u.partition.OutputFile = name

	existing, err := u.find(ctx)
	if err != nil {
		return err
	}
	if existing == complete {
		u.job.Report, u.job.started = u.report, time.Now()
		frames := p.Config.FrameCount
		u.job.report(Event{Type: PartitionKept, Partition: p.ID.Partition, Frames: frames, Total: frames, Path: name})
		return nil
	}
	if err := u.job.Run(ctx); err != nil {
		return err
	}
	err = retry(ctx, p.Retries, func() error {
		return u.put(ctx, local, path.Base(name), existing)
	}, func(error) {})
	if err != nil {
		return fmt.Errorf("partition %d: %w", p.ID.Partition, err)
	}
	u.flush()
	return nil
}

// upload copies a chunk from the disk to a store.
type upload struct {
	job       *Job
	partition job.Partition // with its name in the store
	chunks    store.Store
	report    func(Event)
	held      []Event
}

// filter passes events on, but holds PartitionDone back until the chunk is in the store.
func (u *upload) filter(e Event) {
	if e.Type == PartitionDone {
		e.Path = u.partition.OutputFile
		u.held = append(u.held, e)
	} else if u.report != nil {
		u.report(e)
	}
}

func (u *upload) flush() {
	for _, e := range u.held {
		if u.report != nil {
			u.report(e)
		}
	}
}

// contents classifies the object that a store has under the name of the chunk.
type contents int

const (
	absent   contents = iota
	foreign           // any other object
	complete          // the chunk that this job would render
)

func (u *upload) find(ctx context.Context) (contents, error) {
	info, err := probe(ctx, chunkFormat(u.job.Spec.Config), u.chunks, u.partition.OutputFile)
	var invalid *stitch.ChunkError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent, nil
	case errors.As(err, &invalid):
		return foreign, nil
	case err != nil:
		return absent, err
	case u.job.matches(u.partition, info):
		return complete, nil
	}
	return foreign, nil
}

// put copies the chunk to the store. If another call has written the same chunk meanwhile, it succeeds.
func (u *upload) put(ctx context.Context, from store.Dir, file string, existing contents) error {
	r, err := from.Open(ctx, file)
	if err != nil {
		return err
	}
	defer r.Close()
	name := u.partition.OutputFile
	err = store.Put(ctx, u.chunks, name, io.NewSectionReader(r, 0, r.Size()), commitFunc(existing == foreign))
	if errors.Is(err, fs.ErrExist) {
		if existing, findErr := u.find(ctx); findErr != nil || existing != complete {
			return errors.Join(fault.Transientf("another process wrote a different %s", name), findErr)
		}
		return nil
	}
	return err
}
