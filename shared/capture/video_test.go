package capture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"helios/shared/browser"
	"helios/shared/job"
	"helios/shared/video"
)

// numbered is a source of which frame n shows n in its luma: eight columns are its bits, the highest left.
const numbered = "geq=lum='if(bitand(floor(N/pow(2,7-floor(X*8/W))),1),235,16)':cb=128:cr=128"

// number reads the number of a source frame out of a picture, where the source covers an area.
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
			t.Fatalf("frame %d shows no number: bit %d is %v", f.Index, 7-bit, c)
		}
	}
	return n
}

// whole is where a video without a size of its own is that begins the page.
const bare = `<!doctype html><style>body { margin: 0; background: #777 } video { display: block; width: 160px; height: 90px }</style>`

var whole = image.Rect(0, 0, 160, 90)

// look draws frames in so many partitions and returns the numbers that they show.
func look(t *testing.T, b *browser.Browser, c Composition, o Options, frames int64, partitions int64, start job.SeekMode) (numbers []int) {
	t.Helper()
	size := (frames + partitions - 1) / partitions
	for from := int64(0); from < frames; from += size {
		drawn, _ := play(t, b, c, o, from, min(size, frames-from), start, "")
		for _, f := range drawn {
			numbers = append(numbers, number(t, f, whole))
		}
	}
	return numbers
}

// save leaves a picture behind for those who want to see it.
func save(t *testing.T, f Frame, name string) {
	t.Helper()
	if dir := os.Getenv("HELIOS_TEST_PICTURES"); dir != "" {
		os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%03d.png", name, f.Index)), f.PNG, 0o666)
	}
}

func TestAVideoShowsTheFrameOfTheTime(t *testing.T) {
	const frames = 24
	at := func(rate float64) func(n int) int {
		return func(n int) int { return int(float64(n)*rate/30 + 1e-9) }
	}
	h264 := []string{"-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"}
	b := append(slices.Clone(h264), "-preset", "medium", "-bf", "3", "-g", "12")
	for _, test := range []struct {
		name  string
		file  string
		rate  string
		codec []string
		html  string
		want  func(n int) int
	}{
		{name: "24 fps", rate: "24", codec: b, want: at(24)},
		{name: "25 fps", rate: "25", codec: h264, want: at(25)},
		{name: "29.97 fps", rate: "30000/1001", codec: b, want: at(30000. / 1001)},
		{name: "30 fps", rate: "30", codec: b, want: at(30)},
		{name: "60 fps", rate: "60", codec: h264, want: at(60)},
		{name: "30 fps in WebM, which counts milliseconds", file: "v.webm", rate: "30", codec: []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"}, want: at(30)},
		{name: "VP8 with hidden frames", file: "v.webm", rate: "30", codec: []string{"-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "1M", "-g", "12"}, want: at(30)},
		{name: "variable rate", rate: "30", codec: append([]string{"-vf", "format=gray," + numbered + ",select='not(mod(n,3))+not(mod(n,7))'", "-fps_mode", "vfr"}, h264...),
			want: func(n int) int { return max(n-n%3, n-n%7) }},
		{name: "offset", rate: "30", codec: b, html: `<video src="v.mp4" data-helios-offset="0.2"></video>`, want: func(n int) int { return max(0, n-6) }},
		{name: "seek", rate: "30", codec: b, html: `<video src="v.mp4" data-helios-seek="500ms"></video>`, want: func(n int) int { return n + 15 }},
		{name: "offset, seek and rate", rate: "30", codec: b, html: `<video src="v.mp4" data-helios-offset="0.1" data-helios-seek="0.1" data-helios-rate="2"></video>`,
			want: func(n int) int { return 3 + 2*max(0, n-3) }},
		{name: "loop", rate: "30", codec: append([]string{"-frames:v", "10"}, b...), html: `<video src="v.mp4" loop></video>`, want: func(n int) int { return n % 10 }},
		{name: "data-helios-loop with seek", rate: "30", codec: append([]string{"-frames:v", "10"}, b...), html: `<video src="v.mp4" data-helios-loop data-helios-seek="0.2"></video>`,
			want: func(n int) int { return (n + 6) % 10 }},
		{name: "its end", rate: "30", codec: append([]string{"-frames:v", "10"}, b...), want: func(n int) int { return min(n, 9) }},
		{name: "half speed by playbackRate", rate: "30", codec: b, html: `<video src="v.mp4"></video><script>document.querySelector("video").playbackRate = 0.5</script>`,
			want: func(n int) int { return n / 2 }},
		{name: "currentTime at the start", rate: "30", codec: b, html: `<video src="v.mp4"></video><script>document.querySelector("video").currentTime = 0.4</script>`,
			want: func(n int) int { return n + 12 }},
		{name: "pause and play", rate: "30", codec: b, html: `<video src="v.mp4"></video><script>const v = document.querySelector("video");
			setTimeout(() => v.pause(), 200); setTimeout(() => v.play(), 400)</script>`,
			want: func(n int) int { return min(n, 6) + max(0, n-12) }},
		{name: "a position set in each frame", rate: "30", codec: b, html: `<video src="v.mp4"></video><script>const v = document.querySelector("video"); v.pause();
			requestAnimationFrame(function f(t) { requestAnimationFrame(f); v.currentTime = Math.floor(t * 30 / 1000) * 2 / 30 })</script>`,
			want: func(n int) int { return 2 * n }},
		{name: "a canvas that draws it", rate: "30", codec: b, html: `<video src="v.mp4" style="position: absolute; left: 200px"></video><canvas width="160" height="90"></canvas>
			<script>const v = document.querySelector("video"), c = document.querySelector("canvas").getContext("2d");
			requestAnimationFrame(function f(t) { requestAnimationFrame(f); c.drawImage(v, 0, 0, 160, 90) })</script>`, want: at(30)},
		{name: "a shadow root", rate: "30", codec: b, html: `<div></div><script>document.querySelector("div").attachShadow({mode: "closed"}).innerHTML =
			'<video src="v.mp4" style="width: 160px; height: 90px"></video>'</script>`, want: at(30)},
		{name: "an iframe", rate: "30", codec: b, html: `<iframe style="border: 0; width: 160px; height: 90px; display: block"
			srcdoc="<body style='margin: 0'><video src='v.mp4' style='width: 160px; height: 90px'></video>"></iframe>`, want: at(30)},
		{name: "one that a script adds later", rate: "30", codec: b, html: `<script>setTimeout(() => {
			const v = document.createElement("video"); v.src = "v.mp4"; document.body.append(v); v.play() }, 300)</script><div style="background: black; height: 90px; margin-bottom: -90px"></div>`,
			want: func(n int) int { return max(0, n-9) }},
		{name: "one that is added later and never told to play", rate: "30", codec: b, html: `<script>setTimeout(() => {
			document.querySelector("p").innerHTML = "<video src='v.mp4'></video>" }, 300)</script><p style="background: black; height: 90px; margin: 0"></p>`,
			want: func(n int) int { return max(0, n-9) }},
		{name: "one that is added later and plays when it can", rate: "30", codec: b, html: `<script>setTimeout(() => {
			const v = document.createElement("video"); v.oncanplaythrough = () => setTimeout(() => v.play(), 100); v.src = "v.mp4";
			document.querySelector("p").append(v) }, 300)</script><p style="background: black; height: 90px; margin: 0"></p>`,
			want: func(n int) int {
				if n < 12 {
					return max(0, n-9)
				}
				return n - 12
			}},
		{name: "one that a seek adds", rate: "30", codec: b, html: `<p style="background: black; height: 90px; margin: 0"></p><script>window.helios = { seek(t) {
			document.querySelector("p").innerHTML = t < 0.3 ? "" : "<video src='v.mp4'></video>" } }</script>`,
			want: func(n int) int {
				if n < 9 {
					return 0
				}
				return n
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.file == "" {
				test.file = "v.mp4"
			}
			if test.html == "" {
				test.html = fmt.Sprintf(`<video src="%s"></video>`, test.file)
			}
			c := composition(t, bare+test.html)
			args := []string{"-f", "lavfi", "-i", "color=s=128x72:d=2:r=" + test.rate, "-vf", "format=gray," + numbered}
			generate(t, c, test.file, append(args, test.codec...)...)
			var want []int
			for n := range frames {
				want = append(want, test.want(n))
			}
			b := launch(t, c)
			for _, partitions := range []int64{1, 3} {
				if got := look(t, b, c, small, frames, partitions, job.SeekReplay); !slices.Equal(got, want) {
					t.Errorf("in %d partitions the frames are\n%v, want\n%v", partitions, got, want)
				}
			}
		})
	}
}

// A video is laid out and painted like an image of its frame.
func TestAVideoIsPaintedLikeAnImage(t *testing.T) {
	const frame = 5
	c := composition(t, "")
	generate(t, c, "v.mp4", "-f", "lavfi", "-i", "testsrc2=s=96x72:r=30:d=1", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "2")
	generate(t, c, "a.webm", "-f", "lavfi", "-i", "testsrc2=s=96x72:r=30:d=1,format=yuva420p,geq=lum='p(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='255*X/W'", "-c:v", "libvpx-vp9", "-cpu-used", "8")
	generate(t, c, "upright.mp4", "-f", "lavfi", "-i", "testsrc2=s=96x72:r=30:d=1", "-c:v", "libx264", "-pix_fmt", "yuv420p")
	generate(t, c, "turned.mp4", "-i", filepath.Join(c.Folder, "upright.mp4"), "-c", "copy", "-metadata:s:v:0", "rotate=90")
	generate(t, c, "wide.mp4", "-f", "lavfi", "-i", "testsrc2=s=60x72:r=30:d=1,setsar=8/5", "-c:v", "libx264", "-pix_fmt", "yuv420p")
	sizes := map[string]image.Point{"v.mp4": {96, 72}, "a.webm": {96, 72}, "turned.mp4": {72, 96}, "wide.mp4": {96, 72}}
	for name, size := range sizes {
		info, err := video.Probe(t.Context(), filepath.Join(c.Folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := image.Pt(info.Width, info.Height); got != size {
			t.Errorf("%s is shown at %v, want %v", name, got, size)
		}
		r := video.NewReader(filepath.Join(c.Folder, name), info)
		defer r.Close()
		picture, err := r.Frame(t.Context(), frame)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.Folder, name+".image"), picture, 0o666); err != nil {
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
		draw := func(kind, element string) Frame {
			html := `<!doctype html><style>body { margin: 0; background: linear-gradient(#888, #fc8) } div { position: absolute; width: 150px; height: 90px; overflow: hidden }</style>`
			for i, style := range styles {
				html += fmt.Sprintf(`<div style="left: %dpx; top: %dpx">%s<b>x</b></div>`, i%6*160, i/6*100, fmt.Sprintf(element, "object-fit: contain; "+style))
			}
			page := c
			page.Page = name + "." + kind + ".html"
			if err := os.WriteFile(filepath.Join(c.Folder, page.Page), []byte(html), 0o666); err != nil {
				t.Fatal(err)
			}
			frames, _ := play(t, b, page, o, frame, 1, job.SeekReplay, "")
			save(t, frames[0], name+"-"+kind)
			return frames[0]
		}
		got := draw("video", `<video style="%s" src="`+name+`"></video>`)
		want := draw("image", `<img style="%s" src="`+name+`.image">`)
		for i, style := range styles {
			n, worst := differing(t, got, want, image.Rect(0, 0, 160, 100).Add(image.Pt(i%6*160, i/6*100)))
			// The edges of what is turned are smoothed a little differently.
			if edges := style == turned; !edges && n > 0 || edges && (n > 400 || worst > 80) {
				t.Errorf("%s with %q: %d pixels are not those of the image, by up to %d", name, style, n, worst)
			}
		}
	}
}

const turned = "transform: rotate(13deg) scale(0.7) skewX(5deg)"

// differing compares an area of two pictures.
func differing(t *testing.T, a, b Frame, area image.Rectangle) (pixels, worst int) {
	t.Helper()
	decode := func(f Frame) image.Image {
		picture, err := png.Decode(bytes.NewReader(f.PNG))
		if err != nil {
			t.Fatal(err)
		}
		return picture
	}
	x, y := decode(a), decode(b)
	for i := range area.Dx() * area.Dy() {
		at := area.Min.Add(image.Pt(i%area.Dx(), i/area.Dx()))
		p, q := color.NRGBAModel.Convert(x.At(at.X, at.Y)).(color.NRGBA), color.NRGBAModel.Convert(y.At(at.X, at.Y)).(color.NRGBA)
		if p == q {
			continue
		}
		pixels++
		for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B)} {
			worst = max(worst, d, -d)
		}
	}
	return pixels, worst
}

// A page can be closed while one of its pictures cannot be had.
func TestMediaEndWhileAPictureFails(t *testing.T) {
	m := newMedia(launch(t, composition(t, "")))
	r := &reader{Reader: video.NewReader("gone.mp4", &video.Info{})}
	m.readers[showing{}] = r
	r.mu.Lock() // as the answer to a request does
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.close()
	}()
	<-m.ctx.Done()
	for range 100 {
		m.recordFailure(errors.New("no picture"))
		runtime.Gosched()
	}
	r.mu.Unlock()
	<-ended
}
