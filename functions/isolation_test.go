//go:build cloud

package functions

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"helios/shared/cloud"
)

// attempt is a way of a page to something; Works is said of the few that must work, so that the others are seen
// to fail for the right reason.
type attempt struct {
	Way   string `json:"way"`
	URL   string `json:"url"`
	Works bool   `json:"works"`
}

// The cells of a page that tries them are as large as this, in rows of so many.
const cell, cellsInRow = 16, 20

// prober paints a cell for each attempt: green if it went as it must, and red if not. What happens to no attempt until
// the last frame has failed. Below are frames with what they could show.
const prober = `<!DOCTYPE html><html data-duration="1" data-fps="4" data-width="320" data-height="800">
<style>body{margin:0;background:#fff}i{position:absolute;width:16px;height:16px;background:#888}
iframe{position:absolute;width:78px;height:38px;border:0;overflow:hidden}</style>
<script>
const attempts = %s;
const add = (tag, attributes) => Object.assign(document.body.appendChild(document.createElement(tag)), attributes);
const event = (e, good) => new Promise((yes, no) => { e.addEventListener(good, yes); e.addEventListener("error", no); });
const heard = (script) => new Promise((yes, no) => {
  const w = new Worker(URL.createObjectURL(new Blob([script], {type: "text/javascript"})));
  w.onmessage = (m) => m.data ? yes() : no();
  w.onerror = no;
});
let framed = 0;
const ways = {
  fetch: async (u) => { const r = await fetch(u); if (!r.ok || !(await r.text())) throw 0; },
  post: async (u) => { if (!(await fetch(u, {method: "POST", body: "{}"})).ok) throw 0; },
  silent: (u) => fetch(u, {mode: "no-cors"}).then(() => { throw 0; }), // the other end tells whether it came
  xhr: (u) => new Promise((yes, no) => {
    const x = new XMLHttpRequest();
    x.onload = () => x.status === 200 ? yes() : no();
    x.onerror = no;
    x.open("GET", u);
    x.send();
  }),
  worker: (u) => heard("fetch(" + JSON.stringify(u) + ").then(r => postMessage(r.ok), () => postMessage(false))"),
  import: (u) => heard("try { importScripts(" + JSON.stringify(u) + "); postMessage(true) } catch { postMessage(false) }"),
  script: (u) => event(add("script", {src: u}), "load"),
  image: (u) => event(add("img", {src: u, hidden: true}), "load"),
  style: (u) => event(document.head.appendChild(Object.assign(document.createElement("link"), {rel: "stylesheet", href: u})), "load"),
  video: (u) => event(add("video", {src: u, muted: true, hidden: true}), "loadedmetadata"),
  socket: (u) => event(new WebSocket(u), "open"),
  frame: (u) => {
    const n = framed++, f = add("iframe", {src: u});
    f.style.left = n %% 4 * 80 + "px";
    f.style.top = 200 + (n >> 2) * 40 + "px";
    // What cannot be read may be seen.
    return event(f, "load").then(() => { if (!f.contentDocument || !f.contentDocument.body.textContent.includes("THE TEXT")) throw 0; });
  },
};
document.addEventListener("DOMContentLoaded", () => {
  const cells = attempts.map((a, n) => {
    const c = add("i", {});
    c.style.left = n %% 20 * 16 + "px";
    c.style.top = (n / 20 | 0) * 16 + "px";
    const show = (works) => c.style.background = works === a.works ? "#0a0" : "#d00";
    Promise.resolve().then(() => ways[a.way](a.url)).then(() => show(true), () => show(false));
    return [c, show];
  });
  setTimeout(() => { for (const [c, show] of cells) if (!c.style.background) show(false); }, 700);
});
</script></html>`

// A page in the chunk function gets at no credentials, at no address that hands them out, and at no key outside of
// its composition's prefix, in whatever way it tries.
func TestPagesReachNothingElse(t *testing.T) {
	t.Parallel()
	s := alone(t)
	const request = `{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":1,"allowMissingAssets":true}`
	s.put(t, "sites/a/index.html", page)
	for _, key := range []string{"secret", "jobs/x/secret", "requests/secret", "sites/secret", "sites/b/secret", "sites/a2/secret", "sites/a/own"} {
		s.put(t, key+".txt", "THE TEXT")
		s.put(t, key+".js", "1")
		s.put(t, key+".html", "<p style='background:#f0f'>THE TEXT</p>")
		s.put(t, key+".svg", svg)
	}
	s.prepare(t, request) // starts the environment whose address the page is told
	env := s.lambda.Environments("chunk")[0]
	_, port, _ := strings.Cut(env.Runtime, ":")
	front, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}

	list := []attempt{
		{"fetch", "own.txt", true}, {"xhr", "/own.txt", true}, {"worker", "http://helios.localhost/own.txt", true}, {"import", "http://helios.localhost/own.js", true},
		{"script", "own.js", true}, {"image", "own.svg", true}, {"frame", "own.html", true},
	}
	try := func(address string, ways ...string) {
		for _, way := range ways {
			list = append(list, attempt{Way: way, URL: address})
		}
	}
	// Files of the machine.
	for _, file := range []string{"/proc/self/environ", "/proc/1/environ", fmt.Sprintf("/proc/%d/environ", env.PID), "/etc/passwd"} {
		try("file://"+file, "fetch", "xhr", "worker", "import", "script", "image", "style", "video", "frame")
		try("view-source:file://"+file, "fetch", "frame")
		try("file://localhost"+file, "frame")
		try("http://helios.localhost"+strings.Repeat("/..", 8)+file, "fetch")
		try("http://helios.localhost"+strings.Repeat("/%2e%2e", 8)+file, "fetch", "video")
		try("http://helios.localhost"+strings.Repeat("/..%2f", 8)+file, "fetch")
		try("http://helios.localhost//"+file, "fetch")
		try("http://helios.localhost/.helios"+file, "fetch")
		try("filesystem:file://"+file, "fetch")
	}
	// The Runtime API, and where credentials are handed out.
	for _, host := range []string{
		"127.0.0.1", "localhost", "runtime.localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::127.0.0.1]",
	} {
		try("http://"+host+":"+port+"/2018-06-01/runtime/invocation/next", "fetch", "silent")
	}
	runtime := "127.0.0.1:" + port + "/2018-06-01/runtime/invocation/next"
	try("http://"+runtime, "xhr", "worker", "import", "script", "image", "style", "video", "frame", "post")
	try("https://"+runtime, "fetch")
	try("ws://"+runtime, "socket")
	try("wss://"+runtime, "socket")
	for _, address := range []string{
		"http://169.254.169.254/latest/meta-data/iam/security-credentials/", "http://169.254.170.2/v2/credentials/", "http://169.254.100.1:9001/2018-06-01/runtime/invocation/next",
		"http://[fe80::1]/", "http://[fd00:ec2::254]/latest/meta-data/", "http://[::ffff:169.254.169.254]/latest/meta-data/", "http://2852039166/latest/meta-data/", "http://127.0.0.1:9001/",
	} {
		try(address, "fetch", "silent", "frame", "video")
	}
	// Other keys, and the bucket itself.
	for _, address := range []string{
		"../secret.txt", "/../b/secret.txt", "/%2e%2e/b/secret.txt", "/%2e%2e%2fb%2fsecret.txt", "/..%2f..%2fsecret.txt", "/..%5csecret.txt", "/.%2e/b/secret.txt", "/x/../../b/secret.txt",
		"/%252e%252e/secret.txt", "//../b/secret.txt", "/./../secret.txt", "/2/secret.txt", "/sites/b/secret.txt", "/helios-test/secret.txt", "/s3://helios-test/secret.txt",
		"/secret.txt", "/jobs/x/secret.txt", "/%2fsecret.txt", "/own.txt/../../b/secret.txt", "http://sites.helios.localhost/b/secret.txt", "http://helios.localhost:8080/own.txt",
		"https://helios.localhost/own.txt", "http://" + front.Host + "/helios-test/secret.txt", "http://" + front.Host + "/helios-test/?list-type=2",
	} {
		try(address, "fetch", "frame")
	}
	for _, name := range []string{"/%2e%2e/b/secret", "/..%2fb%2fsecret", "http://" + front.Host + "/helios-test/secret"} {
		try(name+".js", "script")
		try(name+".svg", "image")
	}
	try("s3://helios-test/secret.txt", "fetch", "frame", "video")
	try("chrome://version/", "fetch", "frame")

	encoded, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "sites/a/index.html", fmt.Sprintf(prober, encoded))
	p := s.prepare(t, request)
	item := s.items(t, p)[0]
	answer, failed := s.render(t, p, item)
	if failed == cloud.TransientError { // so many frames are not always there for the first picture
		answer, failed = s.render(t, p, item)
	}
	if failed != "" {
		t.Fatal(answer)
	}
	after := s.lambda.Environments("chunk")
	if len(after) != 1 || after[0].PID != env.PID {
		t.Fatalf("the environments are %+v, and were %+v", after, env)
	}
	if after[0].Connections != env.Connections {
		t.Errorf("there were %d connections to the Runtime API, and now %d", env.Connections, after[0].Connections)
	}
	shown := lastFrame(t, s.download(t, cloud.Job(p.JobID).Prefix()+item.OutputFile), item.FrameCount)
	for n, a := range list {
		if got := shown.At(n%cellsInRow*cell+cell/2, n/cellsInRow*cell+cell/2); !greenish(got) {
			t.Errorf("%s of %s: works %v is not so: the cell is %v", a.Way, a.URL, a.Works, got)
		}
	}
	frames := 0
	for _, a := range list {
		if a.Way != "frame" {
			continue
		}
		at := image.Pt(frames%4*80, 200+frames/4*40)
		frames++
		if at.Y+40 > shown.Bounds().Dy() {
			t.Errorf("there is no room for the frame of %s", a.URL)
		}
		// Refusals are text in black on white, and what is no address of the web shows nothing at all.
		if ink := inked(shown, at, a.Works || !strings.HasPrefix(a.URL, "http") && !strings.HasPrefix(a.URL, "/") && !strings.HasPrefix(a.URL, ".")); ink != a.Works {
			t.Errorf("the frame of %s shows something: %v", a.URL, ink)
		}
	}
	if len(list) > 20*(200/cell) {
		t.Errorf("there is no room for %d attempts", len(list))
	}
	t.Logf("%d attempts", len(list))
}

func greenish(c color.Color) bool {
	r, g, b, _ := c.RGBA()
	return g>>8 > 120 && r>>8 < 60 && b>>8 < 60
}

// inked reports whether there is colour where a frame is, or anything but white.
func inked(m image.Image, at image.Point, anything bool) bool {
	for y := range 38 {
		for x := range 78 {
			r, g, b, _ := m.At(at.X+x, at.Y+y).RGBA()
			if max(r, g, b)-min(r, g, b) > 80<<8 || anything && min(r, g, b) < 200<<8 {
				return true
			}
		}
	}
	return false
}

// lastFrame returns the last of the frames of a video.
func lastFrame(t *testing.T, video string, frames int64) image.Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "last.png")
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", video, "-vf", fmt.Sprintf("select=eq(n\\,%d)", frames-1), "-frames:v", "1", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return picture
}
