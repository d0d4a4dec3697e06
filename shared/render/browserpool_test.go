package render

import (
	"slices"
	"testing"
)

// Jobs reuse the browsers of a pool until something fails in them.
func TestPoolReusesBrowsers(t *testing.T) {
	o := small(composition(t, `<body style="background: #0af">`))
	o.FrameCount = 2
	j := jobOf(t, o)
	browsers := NewBrowserPool(j.Composition, 1)
	defer browsers.Close()
	var first child
	for i := range 3 {
		if _, err := Plan(t.Context(), browsers, o, j.Composition); err != nil {
			t.Fatal(err)
		}
		j := jobOf(t, o)
		j.Browsers, j.Workers = browsers, 1
		run(t, j)
		running := children()
		if len(running) != 1 || i > 0 && running[0] != first {
			t.Fatalf("after job %d, %v are running, want only %v", i, running, first)
		}
		first = running[0]
	}
	o.FrameCount = 0
	if _, err := Plan(t.Context(), browsers, o, j.Composition); err == nil {
		t.Error("Plan() accepts a page of unknown length")
	}
	if left := children(); len(left) > 0 {
		t.Errorf("after a failure, %v are still running", left)
	}
}

// Pages of different jobs in one browser do not share storage.
func TestPagesDoNotShareStorage(t *testing.T) {
	o := small(composition(t, `<body style="font: 20px monospace"><script>
		localStorage.n = Number(localStorage.n ?? 0) + 1;
		document.cookie = "n" + document.cookie.length + "=1";
		window.helios = { ready: new Promise((done) => {
			const opening = indexedDB.open("n");
			let fresh = false;
			opening.onupgradeneeded = () => fresh = true;
			opening.onsuccess = () => {
				opening.result.close();
				document.body.textContent = [localStorage.n, document.cookie, fresh];
				done();
			};
		}) };
	</script>`))
	o.FrameCount = 1
	var first []string
	var browsers *BrowserPool
	for range 2 {
		j := jobOf(t, o)
		if browsers == nil {
			browsers = NewBrowserPool(j.Composition, 1)
			defer browsers.Close()
		}
		j.Browsers, j.Workers = browsers, 1
		frames := hashes(t, run(t, j))
		if first == nil {
			first = frames
		}
		if !slices.Equal(frames, first) {
			t.Error("the second job has different frames")
		}
	}
}
