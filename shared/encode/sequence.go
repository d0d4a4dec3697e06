package encode

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
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

// sink takes the pictures of a sequence by their names, in order.
type sink func(name string, picture []byte) error

// frameName is what the pictures of a sequence are called, from 0.
func frameName(n int, f job.Format) string {
	if f == job.JPEG {
		return fmt.Sprintf("frame-%05d.jpg", n)
	}
	return fmt.Sprintf("frame-%05d.png", n)
}

// ours are the names that a folder of pictures consists of.
var ours = regexp.MustCompile(`^frame-[0-9]{5,}\.(png|jpg)$`)

// pictures hands over the frames one by one. Each is in memory alone.
func (f *finisher) pictures(ctx context.Context, put sink) error {
	// The chunks' codec is what PNG files hold, so there is nothing to be encoded.
	args, next := f.args("-c:v", "copy"), nextPNG
	if f.Format == job.JPEG {
		args, next = f.args(jpegArgs(*f.Quality)...), nextJPEG
	}
	args = append(append(args, exact...), "-f", "image2pipe", "pipe:1")
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("making a pipe to ffmpeg: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return f.run(ctx, args, os.DevNull, w) })
	g.Go(func() error {
		defer r.Close()
		in := bufio.NewReaderSize(r, 1<<20)
		for n := 0; ; n++ {
			picture, err := next(in)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return fmt.Errorf("reading picture %d from ffmpeg: %w", n, err)
			}
			if err := put(frameName(n, f.Format), picture); err != nil {
				return err
			}
		}
	})
	return g.Wait()
}

// jpegArgs turns a quality as other programs have it into ffmpeg's: a factor of a matrix in eighths, where
// theirs is a factor of another matrix in hundredths that 50 leaves as it is.
func jpegArgs(quality int) []string {
	percent := 200 - 2*float64(quality)
	if quality < 50 {
		percent = 5000 / math.Max(1, float64(quality))
	}
	factor := min(max(int(math.Round(percent/100*13)), 1), 31)
	// Colour at full size shows from about here on.
	pixels := "yuvj420p"
	if quality >= 90 {
		pixels = "yuvj444p"
	}
	return []string{
		"-vf", "scale=in_range=full:out_range=full:out_color_matrix=bt601:flags=accurate_rnd+full_chroma_int,format=" + pixels,
		"-c:v", "mjpeg", "-q:v", strconv.Itoa(factor), "-qmin", "1", "-threads", strconv.Itoa(threads),
	}
}

// largestPicture limits what is taken for one picture.
const largestPicture = 1 << 30

var errNoPicture = errors.New("it is no picture")

// nextPNG reads a PNG, which begins with 8 bytes and ends with its IEND chunk.
func nextPNG(r *bufio.Reader) ([]byte, error) {
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, 8); err != nil {
		return nil, cut(&b, err)
	}
	if !bytes.HasPrefix(b.Bytes(), []byte("\x89PNG\r\n\x1a\n")) {
		return nil, errNoPicture
	}
	for {
		head, err := r.Peek(8)
		if err != nil {
			return nil, cut(&b, err)
		}
		size, last := int64(binary.BigEndian.Uint32(head)), string(head[4:]) == "IEND"
		if size+int64(b.Len()) > largestPicture {
			return nil, errNoPicture
		}
		if _, err := io.CopyN(&b, r, 12+size); err != nil {
			return nil, cut(&b, err)
		}
		if last {
			return b.Bytes(), nil
		}
	}
}

// nextJPEG reads a JPEG, which begins and ends with a marker. The end's bytes stand nowhere else in what
// ffmpeg writes: there are no thumbnails, and the coded picture keeps clear of markers.
func nextJPEG(r *bufio.Reader) ([]byte, error) {
	var b bytes.Buffer
	for {
		part, err := r.ReadSlice(0xd9)
		b.Write(part)
		if err != nil && err != bufio.ErrBufferFull {
			return nil, cut(&b, err)
		}
		if !bytes.HasPrefix(b.Bytes(), []byte{0xff, 0xd8}) || b.Len() > largestPicture {
			return nil, errNoPicture
		}
		if bytes.HasSuffix(b.Bytes(), []byte{0xff, 0xd9}) {
			return b.Bytes(), nil
		}
	}
}

// cut turns an end within a picture into an error of its own.
func cut(b *bytes.Buffer, err error) error {
	if err == io.EOF && b.Len() > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// zip writes the pictures into an archive, as they are: they are compressed already.
func (f *finisher) zip(ctx context.Context, out string) (err error) {
	file, err := os.Create(out)
	if err != nil {
		return fault.Userf("writing the archive: %w", err)
	}
	defer func() {
		if closing := file.Close(); err == nil && closing != nil {
			err = fault.Userf("writing the archive: %w", closing)
		}
	}()
	archive := zip.NewWriter(file)
	err = f.pictures(ctx, func(name string, picture []byte) error {
		size := uint64(len(picture))
		header := &zip.FileHeader{
			Name: name, Method: zip.Store,
			CRC32: crc32.ChecksumIEEE(picture), CompressedSize64: size, UncompressedSize64: size,
			//lint:ignore SA1019 the first day that the format knows; Modified counts only where zip compresses.
			ModifiedDate: 1<<5 | 1,
		}
		// With size and sum in front of the picture, the archive can be read as it comes.
		w, err := archive.CreateRaw(header)
		if err == nil {
			_, err = w.Write(picture)
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

// CheckFolder refuses, as a fault.User, a folder that [Finish] could not put its pictures in place of: one
// that holds anything but such pictures, or one that holds any when nothing may be overwritten.
func CheckFolder(out string, overwrite bool) error {
	entries, err := os.ReadDir(out)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.Userf("writing the pictures: %w; name a folder", err)
	}
	for _, e := range entries {
		if !ours.MatchString(e.Name()) {
			return fault.Userf("%s holds %s, which is no frame; name an empty or a new folder", out, e.Name())
		}
		if !overwrite {
			return fault.Userf("%s holds frames; use --overwrite to replace them, or another name", out)
		}
	}
	return nil
}

// folder writes the pictures into a hidden folder beside out, which then takes the place of out.
func (f *finisher) folder(ctx context.Context, out string) error {
	out = filepath.Clean(out)
	if err := CheckFolder(out, true); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		return fault.Userf("writing the pictures: %w", err)
	}
	if err := tempfile.RemovePartials(out); err != nil {
		return fault.Userf("removing what a killed merge left of %s: %w", out, err)
	}
	partial, err := tempfile.MkdirPartial(out)
	if err != nil {
		return fault.Userf("writing the pictures: %w", err)
	}
	defer partial.Remove()
	// Its mode is that of any new folder.
	fresh := filepath.Join(partial.Path(), "new")
	if err := os.Mkdir(fresh, 0o777); err != nil {
		return fault.Userf("writing the pictures: %w", err)
	}
	err = f.pictures(ctx, func(name string, picture []byte) error {
		return fault.Wrap(fault.User, os.WriteFile(filepath.Join(fresh, name), picture, 0o666))
	})
	if err != nil {
		return err
	}
	// What was there is looked at again: hours may have passed.
	if err := CheckFolder(out, true); err != nil {
		return err
	}
	if err := os.Rename(out, filepath.Join(partial.Path(), "old")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fault.Userf("replacing the pictures: %w", err)
	}
	if err := os.Rename(fresh, out); err != nil {
		return fault.Userf("writing the pictures: %w", err)
	}
	return nil
}
