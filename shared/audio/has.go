package audio

import "context"

// HasSound reports whether a file of sound or pictures has sound. The error names what is wrong with one that
// is neither.
func HasSound(ctx context.Context, file string) (bool, error) {
	without, err := withoutSound(ctx, file)
	return err == nil && !without, err
}
