package capture

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"helios/shared/job"
)

// servePolicies serves a page with response headers and elements in its head. The page loads an image and a script.
func servePolicies(t *testing.T, headers map[string]string, head string) Composition {
	t.Helper()
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
			fmt.Fprintf(w, `<!doctype html>%s<h1>text</h1><img src="image.svg"><script src="script.js"></script>
				<script>
					window.inline = true;
					requestAnimationFrame(function f(t) { requestAnimationFrame(f); document.querySelector("h1").textContent = t })
				</script>`, head)
		}
	})
}

// The page's policies restrict the page but not the stream.
func TestStreamWithContentPolicies(t *testing.T) {
	const inspect = `new Promise((done) => {
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
	csp := func(policy string) map[string]string { return map[string]string{"Content-Security-Policy": policy} }
	for _, test := range []struct {
		name    string
		headers map[string]string
		head    string
		want    []any // image, external script, inline script, worker
	}{
		{"none", nil, "", []any{true, true, true, "allowed"}},
		{"only inline scripts", csp("default-src 'none'; script-src 'unsafe-inline'"), "",
			[]any{false, false, true, "blocked"}},
		{"no workers", csp("worker-src 'none'"), "", []any{true, true, true, "blocked"}},
		{"two policies", csp("img-src 'none', script-src 'unsafe-inline'; child-src blob:"), "",
			[]any{false, false, true, "allowed"}},
		{"meta element", nil,
			`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'">`,
			[]any{false, false, true, "blocked"}},
		{"trusted types", csp("require-trusted-types-for 'script'; trusted-types 'none'"), "",
			[]any{true, true, true, "blocked"}},
		{"sandbox", csp("sandbox allow-scripts; img-src 'none'"), "", []any{false, true, true, "allowed"}},
		{"no capture", map[string]string{"Permissions-Policy": "display-capture=(), camera=()"}, "",
			[]any{true, true, true, "allowed"}},
		{"cleared data", map[string]string{"Clear-Site-Data": `"*"`}, "", []any{true, true, true, "allowed"}},
		{"isolation", map[string]string{
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp",
		}, "", []any{true, true, true, "allowed"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, o := servePolicies(t, test.headers, test.head), streamed(small)
			o.AllowMissing = true
			p := open(t, launch(t, c), c, o)
			var got []any
			if err := p.page.Evaluate(t.Context(), inspect, &got); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("image, script, inline script, worker: %v, want %v", got, test.want)
			}
			changed := 0
			err := p.Play(t.Context(), 0, 3, job.SeekReplay, func(f Frame) error {
				if !f.Repeated {
					changed++
				}
				return nil
			})
			want := 1
			if got[2] == true { // the inline script changes each frame
				want = 3
			}
			if err != nil || changed != want {
				t.Errorf("%d of 3 frames changed, want %d: %v", changed, want, err)
			}
		})
	}
}

// A page that replaces the functions that the stream uses does not break the stream.
func TestPageCannotBreakStream(t *testing.T) {
	t.Parallel()
	c := composition(t, `<h1>text</h1><iframe srcdoc="x"></iframe><script>
		for (const name of ["Worker", "MediaStreamTrackProcessor", "ReadableStream", "Blob", "URL", "VideoFrame",
			"WritableStream"]) {
			window[name] = class { constructor() { throw new Error(name) } };
		}
		for (const object of [MediaDevices.prototype, StorageManager.prototype, FileSystemFileHandle.prototype,
			MediaStream.prototype, EventTarget.prototype]) {
			for (const name of Object.getOwnPropertyNames(object)) {
				if (["constructor", "addEventListener"].includes(name)) continue;
				try { Object.defineProperty(object, name, { get() { throw new Error(name) }, set() {} }) } catch {}
			}
		}
		requestAnimationFrame(function f(t) { requestAnimationFrame(f); document.querySelector("h1").textContent = t });
	</script>`)
	b := launch(t, c)
	want, _ := play(t, b, c, small, 0, 4, job.SeekReplay, "")
	checkSame(t, small, want, playStreamed(t, b, c, small, 0, 4))
}

// The flags of the stream give the page no camera, no microphone and no stream of the tab. The page cannot read, stop
// or change the stream of Helios.
func TestPageCannotAccessStream(t *testing.T) {
	t.Parallel()
	c := composition(t, `<h1>text</h1><iframe srcdoc="x"></iframe><script>onload = () => window.stop();
		requestAnimationFrame(function f(t) { requestAnimationFrame(f); document.querySelector("h1").textContent = t })
	</script>`)
	p := open(t, launch(t, c), c, streamed(small))
	const attack = `(async () => {
		const found = {}, attempt = async (name, f) => {
			try { found[name] = await f() } catch (error) { found[name] = error.name }
		};
		for (const [where, w] of [["page", window], ["frame", frames[0]]]) {
			const { navigator } = w, { mediaDevices } = navigator;
			await attempt(where + " camera", () => mediaDevices.getUserMedia({ video: true }));
			await attempt(where + " microphone", () => mediaDevices.getUserMedia({ audio: true }));
			await attempt(where + " tab", () => mediaDevices.getDisplayMedia());
			await attempt(where + " devices", async () => (await mediaDevices.enumerateDevices()).length);
			await attempt(where + " old camera", () => new Promise((done, failed) =>
				navigator.webkitGetUserMedia({ video: true }, done, failed)));
		}
		const folder = await navigator.storage.getDirectory(), names = [];
		for await (const name of folder.keys()) names.push(name);
		found.files = names.length;
		await attempt("delete all", () => folder.remove({ recursive: true }));
		return found;
	})()`
	var found map[string]any
	if err := p.page.Evaluate(t.Context(), attack, &found); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"page camera": "NotFoundError", "page microphone": "NotFoundError", "page tab": "NotSupportedError",
		"page devices": 0.0, "page old camera": "NotFoundError",
		"frame camera": "NotFoundError", "frame microphone": "NotFoundError", "frame tab": "NotSupportedError",
		"frame devices": 0.0, "frame old camera": "NotFoundError",
		"files": 0.0, "delete all": nil,
	} {
		if found[name] != want {
			t.Errorf("%s: %v, want %v", name, found[name], want)
		}
	}
	err := p.Play(t.Context(), 0, 4, job.SeekReplay, func(f Frame) error {
		if f.Repeated {
			t.Errorf("frame %d equals the one before", f.Index)
		}
		return nil
	})
	if err != nil {
		text, _ := json.Marshal(found)
		t.Fatalf("after %s: %v", text, err)
	}
}
