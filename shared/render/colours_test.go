package render

import (
	"fmt"
	"strings"
	"testing"

	"helios/shared/job"
)

// swatches are the 16 basic colours of HTML, in RGB.
var swatches = [16][3]int{
	{0, 255, 255}, {0, 0, 0}, {0, 0, 255}, {255, 0, 255}, {128, 128, 128}, {0, 128, 0}, {0, 255, 0}, {128, 0, 0},
	{0, 0, 128}, {128, 128, 0}, {128, 0, 128}, {255, 0, 0}, {192, 192, 192}, {0, 128, 128}, {255, 255, 255}, {255, 255, 0},
}

// Decoding a video by its tags gives the colours of the page.
func TestColours(t *testing.T) {
	var html strings.Builder
	html.WriteString(`<style>body { margin: 0; background: #fff } i { float: left; width: 40px; height: 40px }</style>`)
	for _, c := range swatches {
		fmt.Fprintf(&html, `<i style="background: rgb(%d,%d,%d)"></i>`, c[0], c[1], c[2])
	}
	page := composition(t, html.String())
	for _, mode := range []job.Capture{job.CaptureStream, job.CaptureScreenshot} {
		for _, codec := range []string{"libx264", "libx265", "libvpx-vp9", "libsvtav1"} {
			t.Run(fmt.Sprintf("%s, %s", mode, codec), func(t *testing.T) {
				o := small(page)
				o.Width, o.Height, o.FrameCount, o.Capture, o.VideoCodec = 160, 160, 2, mode, codec
				o.Format, o.Preset, o.Quality = job.MP4, "", nil
				if codec == "libvpx-vp9" {
					o.Format = job.WebM
				}
				o.Output = "out." + string(o.Format)
				file := run(t, jobOf(t, o))
				checkTags(t, file)
				const toRGB = "scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd+full_chroma_int,format=rgb24"
				out := runFFmpeg(t, file, "-frames:v", "1", "-vf", toRGB, "-f", "rawvideo", "-")
				if len(out) != 160*160*3 {
					t.Fatalf("ffmpeg decodes %d bytes, want %d", len(out), 160*160*3)
				}
				for i, want := range swatches {
					at := ((i/4*40+20)*160 + i%4*40 + 20) * 3
					for channel := range 3 {
						if d := int(out[at+channel]) - want[channel]; d < -2 || d > 2 {
							t.Errorf("swatch %d is %v, want %v", i, out[at:at+3], want)
							break
						}
					}
				}
			})
		}
	}
}

func checkTags(t *testing.T, file string) {
	t.Helper()
	out := tool(t, "ffprobe", "-v", "error", "-select_streams", "v", "-of", "csv=p=0",
		"-show_entries", "stream=color_range,color_space,color_transfer,color_primaries", file)
	if got := strings.TrimSpace(out); got != "tv,bt709,bt709,bt709" {
		t.Errorf("the tags are %q, want BT.709 in limited range", got)
	}
}
