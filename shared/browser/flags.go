package browser

import (
	"cmp"
	"os"
	"strconv"
)

// NoSandboxVariable is the environment variable that, if not empty, disables Chromium's sandbox. Set it only where
// Chromium cannot create a sandbox and the machine isolates the page: in containers and Lambda functions.
const NoSandboxVariable = "HELIOS_NO_SANDBOX"

// StreamFlags let a script capture its own tab with getDisplayMedia without a prompt. Chromium's tests use them for
// this purpose.
var StreamFlags = []string{
	"--use-fake-ui-for-media-stream",
	"--use-fake-device-for-media-stream=display-media-type=browser",
}

// flags returns Chromium's arguments.
func flags(profileDir, proxyURL string, scale float64) []string {
	f := []string{
		"--remote-debugging-pipe",
		"--user-data-dir=" + profileDir,

		// Draw a frame only on a beginFrame command, for the frame time in the command, and only when all parts of the
		// frame are ready.
		"--enable-begin-frame-control",
		"--run-all-compositor-stages-before-draw",
		"--deterministic-mode",
		"--disable-threaded-animation",
		"--disable-threaded-scrolling",
		"--disable-checker-imaging",
		"--disable-image-animation-resync",
		"--disable-new-content-rendering-timeout",
		"--enable-surface-synchronization",

		// Rasterize in software, so that all machines produce the same colours and glyphs.
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

		// Paint the page as one layer: low-end mode ignores requests for a compositing layer, such as translateZ(0).
		// The other flags undo the side effects of low-end mode: 16-bit colours, slow JavaScript with little memory,
		// and a remote playback button on each video.
		"--enable-low-end-device-mode",
		"--disable-rgba-4444-textures",
		"--js-flags=--no-optimize-for-size --max-old-space-size=4096 --max-semi-space-size=32",
		"--disable-blink-features=RemotePlaybackBackend",

		// Keep all frames of a page in one process, because each process has its own virtual time.
		"--disable-site-isolation-trials",
		"--disable-features=IsolateOrigins,site-per-process,Translate,MediaRouter,OptimizationHints,PaintHolding",

		// Send everything through the proxy, including loopback, WebRTC and QUIC.
		"--proxy-server=" + proxyURL,
		"--proxy-bypass-list=<-loopback>",
		"--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
		"--disable-quic",

		// Disable features that only an interactive browser needs.
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
		// As root, Chromium does not start with its sandbox.
		f = append(f, "--no-sandbox")
	}
	if !hasSpace(sharedMemory) {
		f = append(f, "--disable-dev-shm-usage")
	}
	return f
}
