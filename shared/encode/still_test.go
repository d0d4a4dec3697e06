package encode

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helios/shared/fault"
)

func TestStill(t *testing.T) {
	pixels := image.NewNRGBA(image.Rect(0, 0, 33, 17))
	for i := range pixels.Pix {
		pixels.Pix[i] = []byte{200, 40, 20, 255}[i%4]
	}
	var source bytes.Buffer
	if err := png.Encode(&source, pixels); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range Stills {
		out := filepath.Join(t.TempDir(), "still"+suffix)
		if err := Still(t.Context(), source.Bytes(), suffix, 90, out); err != nil {
			t.Errorf("%s: %v", suffix, err)
			continue
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var m image.Image
		switch suffix {
		case ".png":
			m, err = png.Decode(bytes.NewReader(data))
		case ".jpg", ".jpeg":
			m, err = jpeg.Decode(bytes.NewReader(data))
		case ".webp":
			if !bytes.HasPrefix(data, []byte("RIFF")) || !bytes.Equal(data[8:12], []byte("WEBP")) {
				t.Errorf("the WebP starts with %q", data[:12])
			}
			continue
		}
		if err != nil || m.Bounds().Dx() != 33 || m.Bounds().Dy() != 17 {
			t.Errorf("%s decodes to %v, %v", suffix, m, err)
			continue
		}
		got := color.NRGBAModel.Convert(m.At(16, 8)).(color.NRGBA)
		near := func(a, b uint8) bool { return max(a, b)-min(a, b) <= 4 }
		if !near(got.R, 200) || !near(got.G, 40) || !near(got.B, 20) {
			t.Errorf("the colour in %s is %v", suffix, got)
		}
	}
	err := Still(t.Context(), source.Bytes(), ".tiff", 90, filepath.Join(t.TempDir(), "still.tiff"))
	if fault.Of(err) != fault.User || !strings.Contains(err.Error(), ".webp") {
		t.Errorf("Still() of a TIFF = %v, want a user error", err)
	}
}
