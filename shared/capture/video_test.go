package capture

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"helios/shared/job"
	"helios/shared/video"
)

// numbered is an ffmpeg filter that shows the number of each frame as eight black or white columns, which are its bits.
const numbered = "geq=lum='if(bitand(floor(N/pow(2,7-floor(X*8/W))),1),235,16)':cb=128:cr=128"

// number returns the number that a numbered video shows in an area of a frame.
func number(t *testing.T, f Frame, area image.Rectangle) (n int) {
	t.Helper()
	for bit := range 8 {
		c := pixel(t, f, area.Min.X+area.Dx()*(2*bit+1)/16, area.Min.Y+area.Dy()/2)
		switch {
		case c.R > 200:
			n = n<<1 | 1
		case c.R < 50:
			n <<= 1
		default:
			t.Fatalf("frame %d shows no number: bit %d has the colour %v", f.Index, 7-bit, c)
		}
	}
	return n
}

// fullPage is the style of a page whose first video covers it.
const fullPage = `<!doctype html><style>body { margin: 0; background: #777 }
	video { display: block; width: 160px; height: 90px }</style>`

// TestVideoFrames checks which frame of a video each frame shows.
func TestVideoFrames(t *testing.T) {
	const frames = 24
	at := func(rate float64) func(n int) int {
		return func(n int) int { return int(float64(n)*rate/30 + 1e-9) }
	}
	h264 := []string{"-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"}
	bFrames := append(slices.Clone(h264), "-preset", "medium", "-bf", "3", "-g", "12")
	vp9 := []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"}
	hiddenFrames := []string{"-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "1M", "-g", "12"}
	variable := append([]string{
		"-vf", "format=gray," + numbered + ",select='not(mod(n,3))+not(mod(n,7))'", "-fps_mode", "vfr",
	}, h264...)
	tenFrames := append([]string{"-frames:v", "10"}, bFrames...)
	// late is the page of a video that appears later: its background shows number 0 before.
	late := func(script string) string {
		return `<p style="background: black; height: 90px; margin: 0"></p><script>` + script + `</script>`
	}
	from := func(start int) func(n int) int {
		return func(n int) int { return max(0, n-start) }
	}
	for _, test := range []struct {
		name  string
		file  string
		rate  string
		codec []string
		html  string
		want  func(n int) int
	}{
		{name: "24 fps", rate: "24", codec: bFrames, want: at(24)},
		{name: "25 fps", rate: "25", codec: h264, want: at(25)},
		{name: "29.97 fps", rate: "30000/1001", codec: bFrames, want: at(30000. / 1001)},
		{name: "30 fps", codec: bFrames, want: at(30)},
		{name: "60 fps", rate: "60", codec: h264, want: at(60)},
		{name: "WebM, which counts milliseconds", file: "v.webm", codec: vp9, want: at(30)},
		{name: "VP8 with hidden frames", file: "v.webm", codec: hiddenFrames, want: at(30)},
		{name: "variable rate", codec: variable, want: func(n int) int { return max(n-n%3, n-n%7) }},
		{name: "offset", html: `<video src="v.mp4" data-helios-offset="0.2"></video>`, want: from(6)},
		{name: "seek", html: `<video src="v.mp4" data-helios-seek="500ms"></video>`, want: func(n int) int { return n + 15 }},
		{name: "offset, seek and rate",
			html: `<video src="v.mp4" data-helios-offset="0.1" data-helios-seek="0.1" data-helios-rate="2"></video>`,
			want: func(n int) int { return 3 + 2*max(0, n-3) }},
		{name: "loop", codec: tenFrames, html: `<video src="v.mp4" loop></video>`, want: func(n int) int { return n % 10 }},
		{name: "data-helios-loop with seek", codec: tenFrames,
			html: `<video src="v.mp4" data-helios-loop data-helios-seek="0.2"></video>`,
			want: func(n int) int { return (n + 6) % 10 }},
		{name: "end", codec: tenFrames, want: func(n int) int { return min(n, 9) }},
		{name: "playbackRate",
			html: `<video src="v.mp4"></video><script>document.querySelector("video").playbackRate = 0.5</script>`,
			want: func(n int) int { return n / 2 }},
		{name: "currentTime at the start",
			html: `<video src="v.mp4"></video><script>document.querySelector("video").currentTime = 0.4</script>`,
			want: func(n int) int { return n + 12 }},
		{name: "pause and play", html: `<video src="v.mp4"></video><script>const v = document.querySelector("video");
			setTimeout(() => v.pause(), 200); setTimeout(() => v.play(), 400)</script>`,
			want: func(n int) int { return min(n, 6) + max(0, n-12) }},
		{name: "currentTime in each frame", html: `<video src="v.mp4"></video><script>
			const v = document.querySelector("video"); v.pause();
			requestAnimationFrame(function f(t) { requestAnimationFrame(f); v.currentTime = Math.floor(t * 30 / 1000) * 2 / 30 })
			</script>`, want: func(n int) int { return 2 * n }},
		{name: "drawn on a canvas", html: `<video src="v.mp4" style="position: absolute; left: 200px"></video>
			<canvas width="160" height="90"></canvas><script>
			const v = document.querySelector("video"), c = document.querySelector("canvas").getContext("2d");
			requestAnimationFrame(function f(t) { requestAnimationFrame(f); c.drawImage(v, 0, 0, 160, 90) })</script>`,
			want: at(30)},
		{name: "shadow root", html: `<div></div><script>
			document.querySelector("div").attachShadow({mode: "closed"}).innerHTML =
				'<video src="v.mp4" style="width: 160px; height: 90px"></video>'</script>`, want: at(30)},
		{name: "iframe", html: `<iframe style="border: 0; width: 160px; height: 90px; display: block"
			srcdoc="<body style='margin: 0'><video src='v.mp4' style='width: 160px; height: 90px'></video>"></iframe>`,
			want: at(30)},
		{name: "added later", want: from(9), html: `<script>setTimeout(() => {
			const v = document.createElement("video"); v.src = "v.mp4"; document.body.append(v); v.play() }, 300)</script>
			<div style="background: black; height: 90px; margin-bottom: -90px"></div>`},
		{name: "added later without play()", want: from(9), html: late(`setTimeout(() => {
			document.querySelector("p").innerHTML = "<video src='v.mp4'></video>" }, 300)`)},
		{name: "added later, plays after canplaythrough", html: late(`setTimeout(() => {
			const v = document.createElement("video"); v.oncanplaythrough = () => setTimeout(() => v.play(), 100);
			v.src = "v.mp4"; document.querySelector("p").append(v) }, 300)`),
			want: func(n int) int {
				if n < 12 {
					return max(0, n-9)
				}
				return n - 12
			}},
		{name: "added by seek", html: late(`window.helios = { seek(t) {
			document.querySelector("p").innerHTML = t < 0.3 ? "" : "<video src='v.mp4'></video>" } }`),
			want: func(n int) int {
				if n < 9 {
					return 0
				}
				return n
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file, rate, codec, html := cmp.Or(test.file, "v.mp4"), cmp.Or(test.rate, "30"), test.codec, test.html
			if codec == nil {
				codec = bFrames
			}
			if html == "" {
				html = fmt.Sprintf(`<video src="%s"></video>`, file)
			}
			c := composition(t, fullPage+html)
			source := []string{"-f", "lavfi", "-i", "color=s=128x72:d=2:r=" + rate, "-vf", "format=gray," + numbered}
			generate(t, c, file, slices.Concat(source, codec)...)
			b := launch(t, c)
			// From the start, and from a frame in the middle.
			for _, part := range []struct{ from, count int64 }{{0, frames}, {14, 4}} {
				played, _ := play(t, b, c, small, part.from, part.count, job.SeekReplay, "")
				var got, want []int
				for _, f := range played {
					got = append(got, number(t, f, image.Rect(0, 0, 160, 90)))
					want = append(want, test.want(int(f.Index)))
				}
				if !slices.Equal(got, want) {
					t.Errorf("from frame %d, the video frames are\n%v, want\n%v", part.from, got, want)
				}
			}
		})
	}
}

// A video has the layout and the pixels of an image of its frame.
func TestVideoEqualsImage(t *testing.T) {
	t.Parallel()
	const frame = 2
	c := composition(t, "")
	dir := pageFolder(c)
	generate(t, c, "v.mp4", "-f", "lavfi", "-i", "testsrc2=s=96x72:r=30:d=0.5", "-c:v", "libx264", "-pix_fmt", "yuv420p",
		"-bf", "2")
	generate(t, c, "a.webm", "-f", "lavfi", "-i", "testsrc2=s=96x72:r=30:d=0.5,format=yuva420p,"+
		"geq=lum='p(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='255*X/W'", "-c:v", "libvpx-vp9", "-cpu-used", "8")
	generate(t, c, "upright.mp4", "-f", "lavfi", "-i", "testsrc2=s=96x72:r=30:d=0.5", "-c:v", "libx264",
		"-pix_fmt", "yuv420p")
	generate(t, c, "turned.mp4", "-i", filepath.Join(dir, "upright.mp4"), "-c", "copy", "-metadata:s:v:0", "rotate=90")
	generate(t, c, "wide.mp4", "-f", "lavfi", "-i", "testsrc2=s=60x72:r=30:d=0.5,setsar=8/5", "-c:v", "libx264",
		"-pix_fmt", "yuv420p")
	sizes := map[string]image.Point{"v.mp4": {96, 72}, "a.webm": {96, 72}, "turned.mp4": {72, 96}, "wide.mp4": {96, 72}}
	for name, size := range sizes {
		info, err := video.Probe(t.Context(), filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := image.Pt(info.Width, info.Height); got != size {
			t.Errorf("the size of %s is %v, want %v", name, got, size)
		}
		r := video.NewReader(filepath.Join(dir, name), info)
		defer r.Close()
		picture, err := r.Frame(t.Context(), frame)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".image"), picture, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	styles := []string{
		"",
		"width: 150px; height: 60px; object-fit: contain; background: teal",
		"width: 150px; height: 60px; object-fit: cover",
		"width: 150px; height: 60px; object-fit: fill",
		"width: 70px; height: 60px; object-fit: none",
		"width: 70px; height: 80px; object-fit: scale-down",
		"width: 150px; height: 60px; object-fit: contain; object-position: 10% 90%",
		"border-radius: 30px 5px; border: 3px solid red",
		"transform: scale(0.5) translate(20px, 30px)",
		"opacity: 0.4; mix-blend-mode: multiply",
		"filter: blur(2px) hue-rotate(70deg) drop-shadow(4px 4px 2px black)",
		"clip-path: circle(40%); mask-image: linear-gradient(black, transparent)",
		"width: 60px",
		"height: 50px",
		"width: 50%; max-height: 40px",
		"padding: 7px; background: yellow; box-sizing: border-box; width: 90px",
		turned,
	}
	o := small
	o.Width, o.Height = 6*160, 3*100
	b := launch(t, c)
	for name := range sizes {
		capture := func(kind, element string) *image.NRGBA {
			html := `<!doctype html><style>body { margin: 0; background: linear-gradient(#888, #fc8) }
				div { position: absolute; width: 150px; height: 90px; overflow: hidden }</style>`
			for i, style := range styles {
				html += fmt.Sprintf(`<div style="left: %dpx; top: %dpx">%s<b>x</b></div>`, i%6*160, i/6*100,
					fmt.Sprintf(element, "object-fit: contain; "+style))
			}
			file := name + "." + kind + ".html"
			writeFiles(t, dir, map[string]string{file: html})
			page := c
			page.Page = path.Join(path.Dir(c.Page), file)
			frames, _ := play(t, b, page, o, frame, 1, job.SeekReplay, "")
			return decode(t, frames[0])
		}
		got := capture("video", `<video style="%s" src="`+name+`"></video>`)
		want := capture("image", `<img style="%s" src="`+name+`.image">`)
		for i, style := range styles {
			n, worst := differing(got, want, image.Rect(0, 0, 160, 100).Add(image.Pt(i%6*160, i/6*100)))
			// Rotated edges are antialiased a little differently.
			if edges := style == turned; !edges && n > 0 || edges && (n > 400 || worst > 80) {
				t.Errorf("%s with %q: %d pixels differ from the image, by up to %d", name, style, n, worst)
			}
		}
	}
}

const turned = "transform: rotate(13deg) scale(0.7) skewX(5deg)"

// decode returns the pixels of a screenshot.
func decode(t *testing.T, f Frame) *image.NRGBA {
	t.Helper()
	decoded, err := png.Decode(bytes.NewReader(f.PNG))
	if err != nil {
		t.Fatal(err)
	}
	pixels := image.NewNRGBA(decoded.Bounds())
	draw.Draw(pixels, pixels.Bounds(), decoded, image.Point{}, draw.Src)
	return pixels
}

// differing returns the number of pixels in an area that differ between two images, and the largest difference of a
// channel.
func differing(a, b *image.NRGBA, area image.Rectangle) (pixels, worst int) {
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			p, q := a.NRGBAAt(x, y), b.NRGBAAt(x, y)
			if p == q {
				continue
			}
			pixels++
			for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B)} {
				worst = max(worst, d, -d)
			}
		}
	}
	return pixels, worst
}

// A page can be closed while a frame of a video fails.
func TestMediaCloseDuringError(t *testing.T) {
	m := newMediaServer(launch(t, composition(t, "")))
	r := &reader{Reader: video.NewReader("gone.mp4", &video.Info{})}
	m.readers[playback{}] = r
	r.mu.Lock() // as the response to a request does
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.close()
	}()
	<-m.ctx.Done()
	for range 100 {
		m.recordFailure(errors.New("no frame"))
		runtime.Gosched()
	}
	r.mu.Unlock()
	<-ended
}
