package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/store"
	"helios/shared/tempfile"
)

// Partition renders one partition of a job into an object of a store. The config is that of the job, with the
// frames of the partition.
//
// It can be called again, and by several at once: a whole chunk of this very partition that is there already is
// the work done, and of several that finish the first wins. Anything else under the name is replaced.
func Partition(ctx context.Context, config job.Config, c capture.Composition, id job.ChunkID, chunks store.Store, name string, retries int, report func(Event)) error {
	dir, err := tempfile.MkdirTemp("")
	if err != nil {
		return fmt.Errorf("making a folder for the chunk: %w", err)
	}
	defer dir.Remove()
	u := &upload{chunks: chunks, report: report}
	local := store.Dir(dir.Path())
	u.job = partitionJob(config, c, id, local, path.Base(name), retries, u.hold)
	if u.job.tools, err = FindTools(ctx); err != nil {
		return err
	}
	u.partition = u.job.Spec.Partitions[id.Partition]
	u.partition.OutputFile = name

	there, err := u.look(ctx)
	if err != nil {
		return err
	}
	if there == whole {
		u.job.Report, u.job.started = report, time.Now()
		u.job.report(Event{Type: PartitionKept, Partition: id.Partition, Frames: config.FrameCount, Total: config.FrameCount, Path: name})
		return nil
	}
	if err := u.job.Run(ctx); err != nil {
		return err
	}
	err = attempt(ctx, retries, func() error { return u.put(ctx, local, path.Base(name), there) }, func(error) {})
	if err != nil {
		return fmt.Errorf("partition %d: %w", id.Partition, err)
	}
	u.done()
	return nil
}

// upload is the way of a chunk from the disk into a store.
type upload struct {
	job       *Job
	partition job.Partition // with its name in the store
	chunks    store.Store
	report    func(Event)
	held      []Event
}

// hold reports what happens, but keeps back that the partition is done until its chunk is in the store.
func (u *upload) hold(e Event) {
	if e.Type == PartitionDone {
		e.Path = u.partition.OutputFile
		u.held = append(u.held, e)
	} else if u.report != nil {
		u.report(e)
	}
}

func (u *upload) done() {
	for _, e := range u.held {
		if u.report != nil {
			u.report(e)
		}
	}
}

// presence says what a store has under a chunk's name.
type presence int

const (
	absent presence = iota
	other           // something that is not the chunk
	whole           // the chunk that was to be made
)

func (u *upload) look(ctx context.Context) (presence, error) {
	info, err := probe(ctx, u.job.chunkFormat(), u.chunks, u.partition.OutputFile)
	var refused *stitch.ChunkError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent, nil
	case errors.As(err, &refused):
		return other, nil
	case err != nil:
		return absent, err
	case u.job.made(u.partition, info):
		return whole, nil
	}
	return other, nil
}

// put copies the chunk from the disk.
func (u *upload) put(ctx context.Context, from store.Dir, file string, there presence) error {
	r, err := from.Open(ctx, file)
	if err != nil {
		return err
	}
	defer r.Close()
	commit := store.Writer.CommitNew
	if there == other {
		commit = store.Writer.Commit
	}
	err = store.Put(ctx, u.chunks, u.partition.OutputFile, io.NewSectionReader(r, 0, r.Size()), commit)
	if errors.Is(err, fs.ErrExist) {
		if there, lookErr := u.look(ctx); lookErr != nil || there != whole {
			return errors.Join(fault.Transientf("somebody else put another %s in place", u.partition.OutputFile), lookErr)
		}
		return nil
	}
	return err
}
