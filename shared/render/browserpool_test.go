package render

import (
	"slices"
	"testing"
)

// Browsers stay open for the next job, as long as nothing goes wrong in them.
func TestBrowsersAreShared(t *testing.T) {
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
			t.Fatalf("after job %d there run %v, want one browser, as before: %v", i, running, first)
		}
		first = running[0]
	}
	o.FrameCount = 0
	if _, err := Plan(t.Context(), browsers, o, j.Composition); err == nil {
		t.Error("a render of unknown length was no error")
	}
	if left := children(); len(left) > 0 {
		t.Errorf("after a failure there still run %v", left)
	}
}

// What a page kept in its browser, another job does not find.
func TestPagesDoNotRemember(t *testing.T) {
	o := small(composition(t, `<body style="font: 20px monospace"><script>
		localStorage.n = Number(localStorage.n ?? 0) + 1;
		document.cookie = "n" + document.cookie.length + "=1";
		window.helios = { ready: new Promise((done) => {
			const opening = indexedDB.open("n");
			let fresh = false;
			opening.onupgradeneeded = () => fresh = true;
			opening.onsuccess = () => { opening.result.close(); document.body.textContent = [localStorage.n, document.cookie, fresh]; done() };
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
		pictures := hashes(t, run(t, j))
		if first == nil {
			first = pictures
		}
		if !slices.Equal(pictures, first) {
			t.Error("the second job shows another picture")
		}
	}
}
