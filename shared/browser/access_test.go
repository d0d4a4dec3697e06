package browser

import (
	"encoding/json"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/security"
	"github.com/google/go-cmp/cmp"
)

const attemptsPage = `<!doctype html><body><script src="attempts.js"></script>`

// allAPIs are the names of all attempts in attempts.js. fileAPIs are those that a plain file server supports.
var (
	fileAPIs = []string{
		"XMLHttpRequest", "background image", "embed", "fetch", "fetch in a worker", "fetch without CORS", "font",
		"iframe", "image", "image in SVG", "module", "object", "preload", "script", "script of a worker", "stylesheet",
		"video", "window",
	}
	allAPIs = slices.Sorted(slices.Values(append(slices.Clone(fileAPIs), "EventSource", "WebSocket")))
)

// attempt runs all attempts to load the secrets below each URL. It returns the names of the APIs that loaded one, by
// URL.
func attempt(t *testing.T, p *Page, timeout string, urls ...string) map[string][]string {
	t.Helper()
	list, err := json.Marshal(urls)
	if err != nil {
		t.Fatal(err)
	}
	return evaluate[map[string][]string](t, p, "attempts.timeout = "+timeout+`; (async () =>
		Object.fromEntries(await Promise.all(`+string(list)+`.map(async base => [base, await attempts(base)]))))()`)
}

func wantNone(t *testing.T, loaded map[string][]string) {
	t.Helper()
	for address, apis := range loaded {
		if len(apis) > 0 {
			t.Errorf("%s was loaded with %s", address, strings.Join(apis, ", "))
		}
	}
}

// The timeouts of attempts in milliseconds: long for attempts that must succeed, short for those that must fail.
const longTimeout, shortTimeout = "15000", "2500"

func TestPagesCannotLoadFilesOutsideTheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	site, outside := filepath.Join(dir, "site"), filepath.Join(dir, "outside")
	write(t, outside, secrets)
	write(t, filepath.Join(site, "inside"), secrets)
	write(t, site, map[string]string{"index.html": attemptsPage, "attempts.js": attempts})
	for link, target := range map[string]string{"absolute": outside, "relative": "../outside", "up": ".."} {
		if err := os.Symlink(target, filepath.Join(site, link)); err != nil {
			t.Fatal(err)
		}
	}
	p := navigate(t, launch(t, Options{Folder: site}), SiteOrigin+"/index.html")

	loaded := attempt(t, p, longTimeout, SiteOrigin+"/inside")
	if diff := cmp.Diff(fileAPIs, loaded[SiteOrigin+"/inside"]); diff != "" {
		t.Fatalf("APIs that load files inside the folder (-want +got):\n%s", diff)
	}
	wantNone(t, attempt(t, p, shortTimeout,
		"file://"+outside, "file://localhost"+outside, "view-source:file://"+outside, "filesystem:"+SiteOrigin+outside,
		SiteOrigin+"/../outside", SiteOrigin+"/%2e%2e%2foutside", SiteOrigin+"/inside/..%2f..%2foutside",
		SiteOrigin+`/..\..\outside`, SiteOrigin+"/absolute", SiteOrigin+"/relative", SiteOrigin+"/up/outside",
		SiteOrigin+"/"+outside, "http://helios.localhost:80"+outside,
	))

	t.Run("by navigating", func(t *testing.T) {
		blocked := make(chan struct{})
		On(p.Session, cdplog.EntryAdded, func(e cdplog.EventEntryAdded) {
			text := e.Entry.Text
			if strings.Contains(text, "Not allowed to load local resource") && strings.Contains(text, "navigated") {
				close(blocked)
			}
		})
		if _, err := Call(testContext(t), p.Session, cdplog.Enable, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		target := "file://" + outside + "/secret.html?navigated"
		evaluate[string](t, p, `location.href = "`+target+`"`)
		select {
		case <-blocked:
		case <-testContext(t).Done():
			t.Error("Chromium did not log that it blocked the navigation")
		}
	})
}

// localHosts returns names and addresses of this machine in many notations.
func localHosts(t *testing.T) []string {
	t.Helper()
	hosts := []string{
		"127.0.0.1", "localhost", "[::1]", "127.1", "127.255.255.254", "0.0.0.0", "0", "2130706433", "0x7f000001",
		"0177.0.0.1", "0x7f.1", "%31%32%37.0.0.1", "①②⑦.0.0.1", "LOCALHOST", "localhost.", "helios.localhost",
		"foo.localhost", "a.b.localhost.", "[::]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
		"[0:0:0:0:0:0:0:1]",
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if ip := a.(*net.IPNet).IP; ip.To4() != nil {
			hosts = append(hosts, ip.String())
		} else {
			hosts = append(hosts, "["+ip.String()+"]")
		}
	}
	return hosts
}

func TestPagesCannotAccessThisMachine(t *testing.T) {
	t.Parallel()
	plain, secure := startLocalServer(t, false), startLocalServer(t, true)
	dir := writeFolder(t, map[string]string{"index.html": attemptsPage, "attempts.js": attempts})
	p := navigate(t, launch(t, Options{Folder: dir}), SiteOrigin+"/index.html")
	ignoreCertificateErrors(t, p)

	t.Run("by every API", func(t *testing.T) {
		var addresses []string
		for _, host := range []string{"127.0.0.1", "localhost", "[::1]"} {
			addresses = append(addresses, "http://"+host+":"+plain.port, "https://"+host+":"+secure.port)
		}
		wantNone(t, attempt(t, p, shortTimeout, addresses...))
	})
	t.Run("by every host name", func(t *testing.T) {
		ports := map[string]string{
			"http": plain.port, "https": secure.port, "ws": plain.port, "wss": secure.port,
		}
		var addresses []string
		for _, host := range append(localHosts(t),
			"169.254.169.254", "[fe80::1]", "[fe80::a9fe:a9fe]", "[fd00:ec2::254]", "[ff02::1]", "224.0.0.1") {
			for scheme, port := range ports {
				addresses = append(addresses, scheme+"://"+host+":"+port+"/secret.socket")
			}
		}
		list, _ := json.Marshal(addresses)
		loaded := evaluate[[]string](t, p, `Promise.all(`+string(list)+`.map(address => {
			if (address.startsWith("ws")) {
				const socket = new WebSocket(address);
				return new Promise(done => { socket.onopen = () => done(address); socket.onerror = () => done(null); });
			}
			return fetch(address).then(() => address, () => null);
		})).then(all => all.filter(Boolean))`)
		if len(loaded) > 0 {
			t.Errorf("loaded: %s", strings.Join(loaded, ", "))
		}
		for _, a := range p.Assets() {
			if strings.HasSuffix(a.URL, "/secret.socket") && a.Problem != errBlocked.Error() {
				t.Errorf("%s %s: %q", a.Kind, a.URL, a.Problem)
			}
		}
	})
	t.Run("by APIs without a result", func(t *testing.T) {
		// Connections that bypass the proxy start at once, so all of them exist when the last promise resolves.
		evaluate[bool](t, p, `(async (port) => {
			const base = "http://127.0.0.1:" + port;
			navigator.sendBeacon(base + "/beacon", "x");
			for (const rel of ["preconnect", "dns-prefetch", "prefetch", "prerender", "modulepreload", "icon", "manifest"])
				document.head.append(Object.assign(document.createElement("link"), {rel, href: base + "/" + rel}));
			const form = document.createElement("form");
			Object.assign(form, {method: "post", action: base + "/form", target: "_blank"});
			document.body.append(form);
			form.submit();
			document.body.append(Object.assign(document.createElement("a"), {href: "#", ping: base + "/ping", id: "ping"}));
			document.getElementById("ping").click();
			const servers = [{urls: "stun:127.0.0.1:" + port}];
			const turn = "turn:127.0.0.1:" + port;
			for (const urls of [turn + "?transport=udp", turn + "?transport=tcp", turn.replace("turn", "turns")])
				servers.push({urls, username: "x", credential: "x"});
			for (const iceServers of servers.map(s => [s])) {
				const peer = new RTCPeerConnection({iceServers});
				peer.createDataChannel("x");
				await peer.setLocalDescription(await peer.createOffer());
				await new Promise(done => {
					setTimeout(done, 3000);
					peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done();
				});
				peer.close();
			}
			await new WebTransport("https://127.0.0.1:" + port + "/transport").ready.catch(() => {});
			return true;
		})("`+plain.port+`")`)
	})
	plain.wantNoContacts(t)
	secure.wantNoContacts(t)
}

func TestCompositionCanAccessItsOwnServer(t *testing.T) {
	for name, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, other := startLocalServer(t, secure), startLocalServer(t, secure)
			page := server.URL + "/attempts.html"
			b := launch(t, Options{URL: page})
			p := open(t, b)
			ignoreCertificateErrors(t, p)
			if err := p.Navigate(testContext(t), page); err != nil {
				t.Fatal(err)
			}
			loaded := attempt(t, p, longTimeout, server.URL)
			if secure && !slices.Contains(loaded[server.URL], "window") {
				// Chromium applies the exemption from certificate errors to a new window only after a delay, so this
				// attempt may fail.
				loaded[server.URL] = append(loaded[server.URL], "window")
			}
			if diff := cmp.Diff(allAPIs, loaded[server.URL]); diff != "" {
				t.Errorf("APIs that load files from the composition's origin (-want +got):\n%s", diff)
			}
			wantNone(t, attempt(t, p, shortTimeout, other.URL, server.URL+"/to/"+url.PathEscape(other.URL)))
			// Other hosts of this machine are blocked, even with the same port.
			before := server.contacts.Load()
			for _, host := range []string{"localhost", "[::1]", "127.0.0.2"} {
				u, _ := url.Parse(server.URL)
				wantNone(t, attempt(t, p, "1000", u.Scheme+"://"+host+":"+server.port))
			}
			if after := server.contacts.Load(); after > before {
				t.Errorf("%d connections reached the port under another host", after-before)
			}
			other.wantNoContacts(t)
		})
	}
}

func ignoreCertificateErrors(t *testing.T, p *Page) {
	t.Helper()
	params := security.SetIgnoreCertificateErrorsParams{Ignore: true}
	if _, err := Call(testContext(t), p.Session, security.SetIgnoreCertificateErrors, params); err != nil {
		t.Fatal(err)
	}
}
