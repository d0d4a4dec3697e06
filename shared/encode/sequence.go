package encode

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"golang.org/x/sync/errgroup"

	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/tempfile"
)

// imageName returns the name of image n of a sequence, counted from 0.
func imageName(n int, f job.Format) string {
	if f == job.JPEG {
		return fmt.Sprintf("frame-%05d.jpg", n)
	}
	return fmt.Sprintf("frame-%05d.png", n)
}

// imageNames matches the names of images.
var imageNames = regexp.MustCompile(`^frame-[0-9]{5,}\.(png|jpg)$`)

// images passes the images of the sequence to put, in order. Only one image is in memory at a time.
func (f *finisher) images(ctx context.Context, put func(name string, image []byte) error) error {
	// The chunks contain PNG frames already.
	args, next := f.args("-c:v", "copy"), nextPNG
	if f.Format == job.JPEG {
		args, next = f.args(jpegArgs(*f.Quality)...), nextJPEG
	}
	args = append(append(args, exactArgs...), "-f", "image2pipe", "pipe:1")
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("creating a pipe to ffmpeg: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return f.run(ctx, args, os.DevNull, w) })
	g.Go(func() error {
		defer r.Close()
		in := bufio.NewReaderSize(r, 1<<20)
		for n := 0; ; n++ {
			image, err := next(in)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("reading image %d from ffmpeg: %w", n, err)
			}
			if err := put(imageName(n, f.Format), image); err != nil {
				return err
			}
		}
	})
	return g.Wait()
}

// jpegArgs returns ffmpeg's arguments for a quality from 0 to 100. As in libjpeg, the quality determines a factor for
// the quantisation matrix, in percent. ffmpeg has another matrix: there, the factor 13 is close to 100 %.
func jpegArgs(quality int) []string {
	percent := 200 - 2*float64(quality)
	if quality < 50 {
		percent = 5000 / math.Max(1, float64(quality))
	}
	factor := min(max(int(math.Round(percent/100*13)), 1), 31)
	// From about here on, chroma subsampling is visible.
	pixels := "yuvj420p"
	if quality >= 90 {
		pixels = "yuvj444p"
	}
	const scale = "scale=in_range=full:out_range=full:out_color_matrix=bt601:flags=accurate_rnd+full_chroma_int"
	return []string{
		"-vf", scale + ",format=" + pixels,
		"-c:v", "mjpeg", "-q:v", strconv.Itoa(factor), "-qmin", "1", "-threads", strconv.Itoa(threads),
	}
}

// zip writes the images to an archive, without compression: they are compressed already.
func (f *finisher) zip(ctx context.Context, out string) (err error) {
	file, err := os.Create(out)
	if err != nil {
		return fault.Userf("writing the archive: %w", err)
	}
	defer func() {
		if closeErr := file.Close(); err == nil && closeErr != nil {
			err = fault.Userf("writing the archive: %w", closeErr)
		}
	}()
	archive := zip.NewWriter(file)
	err = f.images(ctx, func(name string, image []byte) error {
		size := uint64(len(image))
		header := &zip.FileHeader{
			Name: name, Method: zip.Store,
			CRC32: crc32.ChecksumIEEE(image), CompressedSize64: size, UncompressedSize64: size,
			// The earliest date of the format.
			ModifiedDate: 1<<5 | 1, //nolint:staticcheck // CreateRaw does not use Modified
		}
		// The size and the checksum precede the image, so that readers can stream the archive.
		w, err := archive.CreateRaw(header)
		if err == nil {
			_, err = w.Write(image)
		}
		return fault.Wrap(fault.User, err)
	})
	if err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return fault.Userf("writing the archive: %w", err)
	}
	return nil
}

// CheckFolder returns a user error if [Finish] must not replace a folder. The folder may contain only images of a
// sequence, and these only if overwrite is true.
func CheckFolder(out string, overwrite bool) error {
	entries, err := os.ReadDir(out)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.Userf("writing the images: %w; name a folder", err)
	}
	for _, e := range entries {
		if !imageNames.MatchString(e.Name()) {
			return fault.Userf("%s contains %s, which is not a frame; use an empty or new folder", out, e.Name())
		}
		if !overwrite {
			return fault.Userf("%s contains frames; use --overwrite to replace them, or another name", out)
		}
	}
	return nil
}

// folder writes the images to a hidden folder next to out, which then replaces out.
func (f *finisher) folder(ctx context.Context, out string) error {
	out = filepath.Clean(out)
	if err := CheckFolder(out, true); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		return fault.Userf("writing the images: %w", err)
	}
	if err := tempfile.RemovePartials(out); err != nil {
		return fault.Userf("removing the partial files of %s: %w", out, err)
	}
	partial, err := tempfile.MkdirPartial(out)
	if err != nil {
		return fault.Userf("writing the images: %w", err)
	}
	defer partial.Remove()
	// The output has the permissions of any new folder; the partial folder does not.
	images := filepath.Join(partial.Path(), "new")
	if err := os.Mkdir(images, 0o777); err != nil {
		return fault.Userf("writing the images: %w", err)
	}
	err = f.images(ctx, func(name string, image []byte) error {
		return fault.Wrap(fault.User, os.WriteFile(filepath.Join(images, name), image, 0o666))
	})
	if err != nil {
		return err
	}
	// Encoding can take hours. The user may have put files into the folder since.
	if err := CheckFolder(out, true); err != nil {
		return err
	}
	err = os.Rename(out, filepath.Join(partial.Path(), "old"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fault.Userf("replacing the images: %w", err)
	}
	if err := os.Rename(images, out); err != nil {
		return fault.Userf("writing the images: %w", err)
	}
	return nil
}
