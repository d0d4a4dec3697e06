package capture

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"helios/shared/job"
)

// Each frame of each example is the same in stream mode as its screenshot, from its start and from its middle.
func TestEveryExampleIsExact(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every example")
	}
	pages, err := filepath.Glob("../../examples/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatal("the examples are not there")
	}
	for _, page := range pages {
		name := strings.TrimSuffix(filepath.Base(page), ".html")
		t.Run(name, func(t *testing.T) {
			c, err := Locate("", page)
			if err != nil {
				t.Fatal(err)
			}
			o := small
			o.Width, o.Height, o.Props = 640, 360, []byte(`{"title":"Title","name":"Name"}`)
			b := launch(t, c)
			const count = 40
			want, _ := play(t, b, c, o, 0, count, job.SeekReplay, "")
			whole := playStreamed(t, b, c, o, 0, count)
			checkSame(t, o, want, whole)
			for _, from := range []int64{1, 13, 27} {
				part := playStreamed(t, b, c, o, from, 3)
				for i, f := range part {
					if !bytes.Equal(f.Pixels, whole[from+int64(i)].Pixels) {
						t.Errorf("entered at frame %d, frame %d is another", from, f.Index)
					}
				}
			}
			if distinct(want) < 2 {
				t.Error(fmt.Sprint("nothing moves in ", page))
			}
		})
	}
}
