// Package stitch joins chunks into one video file by copying their samples. Nothing is decoded or encoded.
//
// # Formats
//
// The package [helios/shared/stitch/mp4] joins MP4 and MOV files, and [helios/shared/stitch/webm] joins WebM files.
// Both have the functions Probe, which returns the properties of a file, and Write, which joins chunks. Callers choose
// the package by the format of the output.
//
// This package contains the code that both share: the types of their interface, [ChunkError], the checks that do not
// depend on the format ([Checker]), and the functions that read input files ([Open], [Window], [Prefetch]).
//
// # Chunks
//
// All chunks of an output have the same codec, codec settings, frame size and frame rate. A chunk starts with a key
// frame, has one video track and no audio. The output contains the frames of all chunks in order. Without audio, the
// output is a valid chunk itself.
//
// # Errors
//
// Write checks every chunk before it writes the first byte. A [ChunkError] means that a chunk or the audio file cannot
// be used. A retry with the same file fails again. Other errors come from the store, from the output or from the
// caller's Accept function.
//
// # Memory
//
// Write reads each chunk twice: to check it and to copy its samples. It keeps sample tables in memory up to a limit,
// and reads the others again. So memory hardly grows with the number of chunks, and the number of open files does not
// grow. If a file changes between two reads, Write fails.
package stitch

// Chunk is a file to join.
type Chunk struct {
	// Name is the chunk's name in the store.
	Name string
	// Frames is the number of frames that the chunk must have; 0 allows any number.
	Frames int64
}

// Options are the settings of an output that all formats share. With the zero Options, the output contains only the
// frames.
type Options struct {
	// Comment is the comment tag of the output; "" for none.
	Comment string
	// Audio is the name in the store of a file of the same format with one audio track, which is copied into the
	// output; "" for none.
	Audio string
	// Accept, if not nil, is called for each chunk in order, before anything is written. Write returns its error
	// unchanged.
	Accept func(Chunk, Info) error
}

// Info describes a video file.
type Info struct {
	// Frames is the number of frames, at least 1.
	Frames int64
	// Width and Height are the size of a frame in pixels.
	Width, Height int
	// Codec is the container's name of the codec, such as avc1, hev1 or V_VP9.
	Codec string
	// Bytes is the size of the file.
	Bytes int64
	// Comment is the comment tag of the file, "" if there is none.
	Comment string
}
