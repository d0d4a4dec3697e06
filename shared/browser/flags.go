package browser

import (
	"cmp"
	"os"
	"strconv"
)

// NoSandboxVariable names the environment variable that, when it is set, runs Chromium without its own
// sandbox, for machines that do not allow one and are one: containers, Lambda functions.
const NoSandboxVariable = "HELIOS_NO_SANDBOX"

// StreamFlags let a script get a stream of its own tab by getDisplayMedia, without a prompt. Chromium has them for tests.
var StreamFlags = []string{"--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=display-media-type=browser"}

// flags returns Chromium's command line.
func flags(profile, proxy string, scale float64) []string {
	f := []string{
		"--remote-debugging-pipe",
		"--user-data-dir=" + profile,

		// Frames are drawn when beginFrame asks for one, at the time that it says, with everything in
		// place that the frame shows.
		"--enable-begin-frame-control",
		"--run-all-compositor-stages-before-draw",
		"--deterministic-mode",
		"--disable-threaded-animation",
		"--disable-threaded-scrolling",
		"--disable-checker-imaging",
		"--disable-image-animation-resync",
		"--disable-new-content-rendering-timeout",
		"--enable-surface-synchronization",

		// One raster for all machines: software, with the same colours and glyphs.
		"--disable-gpu-compositing",
		"--disable-gpu-rasterization",
		"--disable-partial-raster",
		"--disable-accelerated-2d-canvas",
		"--enable-unsafe-swiftshader",
		"--force-color-profile=srgb",
		"--force-device-scale-factor=" + strconv.FormatFloat(cmp.Or(scale, 1), 'f', -1, 64),
		"--font-render-hinting=none",
		"--disable-lcd-text",
		"--hide-scrollbars",
		"--lang=en-US",

		// translateZ(0), translate3d(x, y, 0) and the like, by which libraries ask for a layer of their own, get none, as on
		// a machine with little memory, and the page is painted in one piece. What else such a machine goes without is
		// given back, colours of 32 bits, JavaScript's speed and memory, and the button that it has on each video is not.
		"--enable-low-end-device-mode",
		"--disable-rgba-4444-textures",
		"--js-flags=--no-optimize-for-size --max-old-space-size=4096 --max-semi-space-size=32",
		"--disable-blink-features=RemotePlaybackBackend",

		// All frames of the page live in one process and so on one clock.
		"--disable-site-isolation-trials",
		"--disable-features=IsolateOrigins,site-per-process,Translate,MediaRouter,OptimizationHints,PaintHolding",

		// What the page may reach is decided in one place, and nothing goes around it.
		"--proxy-server=" + proxy,
		"--proxy-bypass-list=<-loopback>",
		"--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
		"--disable-quic",

		// A render is no browsing session.
		"--no-first-run",
		"--disable-background-networking",
		"--disable-component-update",
		"--disable-sync",
		"--disable-breakpad",
		"--disable-crash-reporter",
		"--disable-extensions",
		"--disable-hang-monitor",
		"--disable-popup-blocking",
		"--disable-renderer-backgrounding",
		"--disable-background-timer-throttling",
		"--disable-backgrounding-occluded-windows",
		"--disable-ipc-flooding-protection",
		"--autoplay-policy=no-user-gesture-required",
		"--mute-audio",
		"--password-store=basic",
		"--use-mock-keychain",
	}
	f = append(f, StreamFlags...)
	if os.Geteuid() == 0 || os.Getenv(NoSandboxVariable) != "" {
		// Chromium refuses to start as root with its sandbox on.
		f = append(f, "--no-sandbox")
	}
	if !roomy(sharedMemory) {
		f = append(f, "--disable-dev-shm-usage")
	}
	return f
}
