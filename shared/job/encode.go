package job

import (
	"encoding/json"
	"io"
)

// Encode writes the spec as indented JSON. Commands stay readable: & and < are not escaped.
func (s *Spec) Encode(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(s)
}
