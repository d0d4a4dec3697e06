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

// attempt is an attempt of a page to load a URL. A few attempts must succeed, which shows that the others fail for the
// right reason.
type attempt struct {
	API     string `json:"api"` // such as fetch
	URL     string `json:"url"`
	Succeed bool   `json:"succeed"`
}

// The page shows each attempt as a square cell. cell is the size of a cell in pixels.
const cell, cellsInRow = 16, 20

// probePage paints a cell for each attempt: green for the expected result, red otherwise. An attempt that has no result
// at the last frame has failed. Below the cells are the iframes.
const probePage = `<!DOCTYPE html><html data-duration="1" data-fps="4" data-width="320" data-height="800">
<style>body{margin:0;background:#fff}i{position:absolute;width:16px;height:16px;background:#888}
iframe{position:absolute;width:78px;height:38px;border:0;overflow:hidden}</style>
<script>
const attempts = %s;
const add = (tag, attributes) => Object.assign(document.body.appendChild(document.createElement(tag)), attributes);
const event = (e, good) => new Promise((yes, no) => {
  e.addEventListener(good, yes);
  e.addEventListener("error", no);
});
const runWorker = (script) => new Promise((yes, no) => {
  const w = new Worker(URL.createObjectURL(new Blob([script], {type: "text/javascript"})));
  w.onmessage = (m) => m.data ? yes() : no();
  w.onerror = no;
});
let framed = 0;
const apis = {
  fetch: async (u) => { const r = await fetch(u); if (!r.ok || !(await r.text())) throw 0; },
  post: async (u) => { if (!(await fetch(u, {method: "POST", body: "{}"})).ok) throw 0; },
  silent: (u) => fetch(u, {mode: "no-cors"}).then(() => { throw 0; }), // the test counts the connections
  xhr: (u) => new Promise((yes, no) => {
    const x = new XMLHttpRequest();
    x.onload = () => x.status === 200 ? yes() : no();
    x.onerror = no;
    x.open("GET", u);
    x.send();
  }),
  worker: (u) => runWorker("fetch(" + JSON.stringify(u) + ").then(r => postMessage(r.ok), () => postMessage(false))"),
  import: (u) => runWorker(
    "try { importScripts(" + JSON.stringify(u) + "); postMessage(true) } catch { postMessage(false) }"),
  script: (u) => event(add("script", {src: u}), "load"),
  image: (u) => event(add("img", {src: u, hidden: true}), "load"),
  style: (u) => {
    const link = Object.assign(document.createElement("link"), {rel: "stylesheet", href: u});
    return event(document.head.appendChild(link), "load");
  },
  video: (u) => event(add("video", {src: u, muted: true, hidden: true}), "loadedmetadata"),
  socket: (u) => event(new WebSocket(u), "open"),
  frame: (u) => {
    const n = framed++, f = add("iframe", {src: u});
    f.style.left = n %% 4 * 80 + "px";
    f.style.top = 200 + (n >> 2) * 40 + "px";
    // The content may be visible even if scripts cannot read it.
    return event(f, "load").then(() => {
      if (!f.contentDocument || !f.contentDocument.body.textContent.includes("THE TEXT")) throw 0;
    });
  },
};
document.addEventListener("DOMContentLoaded", () => {
  const cells = attempts.map((a, n) => {
    const c = add("i", {});
    c.style.left = n %% 20 * 16 + "px";
    c.style.top = (n / 20 | 0) * 16 + "px";
    const show = (succeeded) => c.style.background = succeeded === a.succeed ? "#0a0" : "#d00";
    Promise.resolve().then(() => apis[a.api](a.url)).then(() => show(true), () => show(false));
    return [c, show];
  });
  setTimeout(() => { for (const [c, show] of cells) if (!c.style.background) show(false); }, 700);
});
</script></html>`

// A page in the chunk function cannot load credentials, addresses that provide them, or keys outside of its
// composition's prefix.
func TestPageIsolation(t *testing.T) {
	t.Parallel()
	s := startFunctions(t)
	const request = `{"input": "s3://helios-test/sites/a/", "output": "renders/a.mp4", "concurrency": 1,
		"allowMissingAssets": true}`
	s.put(t, "sites/a/index.html", page)
	for _, key := range []string{
		"secret", "jobs/x/secret", "requests/secret", "sites/secret", "sites/b/secret", "sites/a2/secret", "sites/a/own",
	} {
		s.put(t, key+".txt", "THE TEXT")
		s.put(t, key+".js", "1")
		s.put(t, key+".html", "<p style='background:#f0f'>THE TEXT</p>")
		s.put(t, key+".svg", svg)
	}
	s.plan(t, request) // starts the environment whose address the page tries
	env := s.lambda.Environments("chunk")[0]
	_, port, _ := strings.Cut(env.Runtime, ":")
	endpoint, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}

	list := []attempt{
		{"fetch", "own.txt", true}, {"xhr", "/own.txt", true}, {"worker", "http://helios.localhost/own.txt", true},
		{"import", "http://helios.localhost/own.js", true},
		{"script", "own.js", true}, {"image", "own.svg", true}, {"frame", "own.html", true},
	}
	try := func(address string, apis ...string) {
		for _, api := range apis {
			list = append(list, attempt{API: api, URL: address})
		}
	}
	// Local files.
	for _, file := range []string{
		"/proc/self/environ", "/proc/1/environ", fmt.Sprintf("/proc/%d/environ", env.PID), "/etc/passwd",
	} {
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
	// The Runtime API and credential services.
	for _, host := range []string{
		"127.0.0.1", "localhost", "runtime.localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0.0.0.0", "[::1]",
		"[::]", "[::ffff:127.0.0.1]", "[::127.0.0.1]",
	} {
		try("http://"+host+":"+port+"/2018-06-01/runtime/invocation/next", "fetch", "silent")
	}
	runtime := "127.0.0.1:" + port + "/2018-06-01/runtime/invocation/next"
	try("http://"+runtime, "xhr", "worker", "import", "script", "image", "style", "video", "frame", "post")
	try("https://"+runtime, "fetch")
	try("ws://"+runtime, "socket")
	try("wss://"+runtime, "socket")
	for _, address := range []string{
		"http://169.254.169.254/latest/meta-data/iam/security-credentials/", "http://169.254.170.2/v2/credentials/",
		"http://169.254.100.1:9001/2018-06-01/runtime/invocation/next",
		"http://[fe80::1]/", "http://[fd00:ec2::254]/latest/meta-data/", "http://[::ffff:169.254.169.254]/latest/meta-data/",
		"http://2852039166/latest/meta-data/", "http://127.0.0.1:9001/",
	} {
		try(address, "fetch", "silent", "frame", "video")
	}
	// Other keys and the bucket itself.
	for _, address := range []string{
		"../secret.txt", "/../b/secret.txt", "/%2e%2e/b/secret.txt", "/%2e%2e%2fb%2fsecret.txt", "/..%2f..%2fsecret.txt",
		"/..%5csecret.txt", "/.%2e/b/secret.txt", "/x/../../b/secret.txt",
		"/%252e%252e/secret.txt", "//../b/secret.txt", "/./../secret.txt", "/2/secret.txt", "/sites/b/secret.txt",
		"/helios-test/secret.txt", "/s3://helios-test/secret.txt",
		"/secret.txt", "/jobs/x/secret.txt", "/%2fsecret.txt", "/own.txt/../../b/secret.txt",
		"http://sites.helios.localhost/b/secret.txt", "http://helios.localhost:8080/own.txt",
		"https://helios.localhost/own.txt", "http://" + endpoint.Host + "/helios-test/secret.txt",
		"http://" + endpoint.Host + "/helios-test/?list-type=2",
	} {
		try(address, "fetch", "frame")
	}
	for _, name := range []string{
		"/%2e%2e/b/secret", "/..%2fb%2fsecret", "http://" + endpoint.Host + "/helios-test/secret",
	} {
		try(name+".js", "script")
		try(name+".svg", "image")
	}
	try("s3://helios-test/secret.txt", "fetch", "frame", "video")
	try("chrome://version/", "fetch", "frame")

	encoded, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "sites/a/index.html", fmt.Sprintf(probePage, encoded))
	p := s.plan(t, request)
	item := s.items(t, p)[0]
	response, failed := s.render(t, p, item)
	if failed == cloud.TransientError { // the page has many iframes, and its first frame may time out
		response, failed = s.render(t, p, item)
	}
	if failed != "" {
		t.Fatal(response)
	}
	after := s.lambda.Environments("chunk")
	if len(after) != 1 || after[0].PID != env.PID {
		t.Fatalf("the environments are %+v, want %+v", after, env)
	}
	if after[0].Connections != env.Connections {
		t.Errorf("%d connections to the Runtime API, want %d", after[0].Connections, env.Connections)
	}
	shown := lastFrame(t, s.download(t, cloud.Job(p.JobID).Prefix()+item.OutputFile), item.FrameCount)
	for n, a := range list {
		if got := shown.At(n%cellsInRow*cell+cell/2, n/cellsInRow*cell+cell/2); !greenish(got) {
			t.Errorf("%s of %s: want success %v; the cell is %v", a.API, a.URL, a.Succeed, got)
		}
	}
	frames := 0
	for _, a := range list {
		if a.API != "frame" {
			continue
		}
		at := image.Pt(frames%4*80, 200+frames/4*40)
		frames++
		if at.Y+40 > shown.Bounds().Dy() {
			t.Errorf("the iframe of %s is outside of the page", a.URL)
		}
		// The proxy's errors are black text on white. Other schemes show nothing at all.
		isHTTP := strings.HasPrefix(a.URL, "http") || strings.HasPrefix(a.URL, "/") || strings.HasPrefix(a.URL, ".")
		if painted := isPainted(shown, at, a.Succeed || !isHTTP); painted != a.Succeed {
			t.Errorf("the iframe of %s shows content: %v", a.URL, painted)
		}
	}
	if len(list) > 20*(200/cell) {
		t.Errorf("the page is too small for %d attempts", len(list))
	}
	t.Logf("%d attempts", len(list))
}

func greenish(c color.Color) bool {
	r, g, b, _ := c.RGBA()
	return g>>8 > 120 && r>>8 < 60 && b>>8 < 60
}

// isPainted reports whether an iframe shows a saturated colour or, if anything is true, any pixel that is not almost
// white.
func isPainted(m image.Image, at image.Point, anything bool) bool {
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

// lastFrame returns the last frame of a video.
func lastFrame(t *testing.T, video string, frames int64) image.Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "last.png")
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", video, "-vf", fmt.Sprintf("select=eq(n\\,%d)", frames-1),
		"-frames:v", "1", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	frame, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}
