package capture

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"helios/shared/job"
)

// policed answers with a page under policies, and with what the page may or may not load.
func policed(t *testing.T, headers map[string]string, head string) Composition {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/script.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, "window.loaded = true")
		case "/image.svg":
			w.Header().Set("Content-Type", "image/svg+xml")
			fmt.Fprint(w, `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`)
		default:
			for name, value := range headers {
				w.Header().Set(name, value)
			}
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<!doctype html>%s<h1>text</h1><img src="/image.svg"><script src="/script.js"></script>
				<script>window.inline = true; requestAnimationFrame(function f(t) { requestAnimationFrame(f); document.querySelector("h1").textContent = t })</script>`, head)
		}
	})
}

// A policy of the page does not block the stream, and keeps its effect on the page.
func TestPoliciesBlockThePageAndNotTheStream(t *testing.T) {
	const look = `new Promise((done) => {
		const image = document.images[0].naturalWidth > 0, script = !!window.loaded, inline = !!window.inline;
		let worker = "blocked";
		const finish = () => done([image, script, inline, worker]);
		try {
			addEventListener("securitypolicyviolation", finish);
			const w = new Worker(URL.createObjectURL(new Blob(["postMessage(0)"])));
			w.onmessage = () => { worker = "allowed"; finish() };
			w.onerror = finish;
		} catch { finish() }
	})`
	type seen = []any
	for _, test := range []struct {
		name    string
		headers map[string]string
		head    string
		want    seen
	}{
		{"none", nil, "", seen{true, true, true, "allowed"}},
		{"nothing but inline scripts", map[string]string{"Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'"}, "", seen{false, false, true, "blocked"}},
		{"no workers", map[string]string{"Content-Security-Policy": "worker-src 'none'"}, "", seen{true, true, true, "blocked"}},
		{"two policies", map[string]string{"Content-Security-Policy": "img-src 'none', script-src 'unsafe-inline'; child-src blob:"}, "", seen{false, false, true, "allowed"}},
		{"in a meta element", nil, `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'">`, seen{false, false, true, "blocked"}},
		{"trusted types", map[string]string{"Content-Security-Policy": "require-trusted-types-for 'script'; trusted-types 'none'"}, "", seen{true, true, true, "blocked"}},
		{"a sandbox", map[string]string{"Content-Security-Policy": "sandbox allow-scripts; img-src 'none'"}, "", seen{false, true, true, "allowed"}},
		{"no capture", map[string]string{"Permissions-Policy": "display-capture=(), camera=()"}, "", seen{true, true, true, "allowed"}},
		{"cleared data", map[string]string{"Clear-Site-Data": `"*"`}, "", seen{true, true, true, "allowed"}},
		{"isolation", map[string]string{"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}, "", seen{true, true, true, "allowed"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, o := policed(t, test.headers, test.head), streamed(small)
			o.AllowMissing = true
			p := open(t, launch(t, c), c, o)
			var got seen
			if err := p.page.Evaluate(t.Context(), look, &got); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("image, script, inline script, worker: %v, want %v", got, test.want)
			}
			fresh := 0
			err := p.Play(t.Context(), 0, 3, job.SeekReplay, func(f Frame) error {
				if !f.Repeated {
					fresh++
				}
				return nil
			})
			if want := map[bool]int{true: 3, false: 1}[got[2].(bool)]; err != nil || fresh != want {
				t.Errorf("%d of 3 frames are new, want %d: %v", fresh, want, err)
			}
		})
	}
}

// The flags of the stream give the page itself no camera, no microphone and no stream of the tab, and it cannot read, stop or
// alter the stream of Helios.
func TestAPageHasNoHoldOnTheStream(t *testing.T) {
	c := composition(t, `<h1>text</h1><iframe srcdoc="x"></iframe><script>
		for (const name of ["Worker", "MediaStreamTrackProcessor", "ReadableStream", "Blob", "URL", "VideoFrame", "WritableStream"]) window[name] = class { constructor() { throw new Error(name) } };
		for (const object of [MediaDevices.prototype, StorageManager.prototype, FileSystemFileHandle.prototype, MediaStream.prototype, EventTarget.prototype]) {
			for (const name of Object.getOwnPropertyNames(object)) if (!["constructor", "addEventListener"].includes(name)) try { Object.defineProperty(object, name, { get() { throw new Error(name) }, set() {} }) } catch {}
		}
		requestAnimationFrame(function f(t) { requestAnimationFrame(f); document.querySelector("h1").textContent = t });
	</script>`)
	want, _ := play(t, launch(t, c), c, small, 0, 4, job.SeekReplay, "")
	checkSame(t, small, want, playStreamed(t, launch(t, c), c, small, 0, 4))

	c = composition(t, `<h1>text</h1><iframe srcdoc="x"></iframe><script>onload = () => window.stop();
		requestAnimationFrame(function f(t) { requestAnimationFrame(f); document.querySelector("h1").textContent = t })</script>`)
	p := open(t, launch(t, c), c, streamed(small))
	const attack = `(async () => {
		const seen = {}, attempt = async (name, f) => { try { seen[name] = await f() } catch (error) { seen[name] = error.name } };
		for (const [where, w] of [["page", window], ["frame", frames[0]]]) {
			const { navigator } = w;
			await attempt(where + " camera", () => navigator.mediaDevices.getUserMedia({ video: true }));
			await attempt(where + " microphone", () => navigator.mediaDevices.getUserMedia({ audio: true }));
			await attempt(where + " tab", () => navigator.mediaDevices.getDisplayMedia());
			await attempt(where + " devices", async () => (await navigator.mediaDevices.enumerateDevices()).length);
			await attempt(where + " old camera", () => new Promise((done, failed) => navigator.webkitGetUserMedia({ video: true }, done, failed)));
		}
		const folder = await navigator.storage.getDirectory(), names = [];
		for await (const name of folder.keys()) names.push(name);
		seen.files = names.length;
		await attempt("delete all", () => folder.remove({ recursive: true }));
		return seen;
	})()`
	var seen map[string]any
	if err := p.page.Evaluate(t.Context(), attack, &seen); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"page camera": "NotFoundError", "page microphone": "NotFoundError", "page tab": "NotSupportedError", "page devices": 0.0, "page old camera": "NotFoundError",
		"frame camera": "NotFoundError", "frame microphone": "NotFoundError", "frame tab": "NotSupportedError", "frame devices": 0.0, "frame old camera": "NotFoundError",
		"files": 0.0, "delete all": nil,
	} {
		if seen[name] != want {
			t.Errorf("%s: %v, want %v", name, seen[name], want)
		}
	}
	var got []Frame
	if err := p.Play(t.Context(), 0, 4, job.SeekReplay, func(f Frame) error { got = append(got, f); return nil }); err != nil {
		text, _ := json.Marshal(seen)
		t.Fatalf("after %s: %v", text, err)
	}
	for _, f := range got {
		if f.Repeated {
			t.Errorf("frame %d repeats the one before", f.Index)
		}
	}
}
