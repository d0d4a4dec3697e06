package job

// Audio is the sound of an output, mixed once for all partitions.
type Audio struct {
	// Tracks are at least 1.
	Tracks []Track `json:"tracks"`
	// OutputFile is the encoded sound: a path inside the job file's folder, with slashes.
	OutputFile string `json:"outputFile"`
	// Command mixes and encodes the sound.
	Command string `json:"command"`
}

// Track is a piece of sound in a composition. Times count from the start of the composition.
type Track struct {
	// Source is a file, absolute or relative to the job file, or a URL.
	Source string `json:"source"`
	// Offset is when the track begins to be heard.
	Offset Seconds `json:"offset,omitzero"`
	// Seek is where in the source it begins.
	Seek Seconds `json:"seek,omitzero"`
	// Duration is how long it is heard; zero is until the source ends.
	Duration Seconds `json:"duration,omitzero"`
	// Volume is a factor, 0 to 10.
	Volume float64 `json:"volume"`
	// FadeIn and FadeOut are the lengths of the fades at the two ends.
	FadeIn  Seconds `json:"fadeIn,omitzero"`
	FadeOut Seconds `json:"fadeOut,omitzero"`
	// Loop plays the source again and again, until Duration or the composition ends.
	Loop bool `json:"loop,omitempty"`
	// Rate is the speed, 0.0625 to 16, at the same pitch; 0 is 1.
	Rate float64 `json:"rate,omitempty"`
}
