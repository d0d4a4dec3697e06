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

// everyWay names all of attempts.js, webWays those that need no server with a protocol of its own.
var (
	webWays = []string{
		"XMLHttpRequest", "background image", "embed", "fetch", "fetch in a worker", "fetch without CORS", "font", "iframe", "image",
		"image in SVG", "module", "object", "preload", "script", "script of a worker", "stylesheet", "video", "window",
	}
	everyWay = slices.Sorted(slices.Values(append(slices.Clone(webWays), "EventSource", "WebSocket")))
)

// attempt returns the ways that worked to get at the secrets below each of the addresses.
func attempt(t *testing.T, p *Page, patience string, addresses ...string) map[string][]string {
	t.Helper()
	list, err := json.Marshal(addresses)
	if err != nil {
		t.Fatal(err)
	}
	return evaluate[map[string][]string](t, p, "attempts.patience = "+patience+`; (async () =>
		Object.fromEntries(await Promise.all(`+string(list)+`.map(async base => [base, await attempts(base)]))))()`)
}

func wantNoWay(t *testing.T, worked map[string][]string) {
	t.Helper()
	for address, ways := range worked {
		if len(ways) > 0 {
			t.Errorf("%s was reached by %s", address, strings.Join(ways, ", "))
		}
	}
}

// patience is how long an attempt that must work may take, in milliseconds; hopeless how long one is given
// that must not.
const patience, hopeless = "15000", "2500"

func TestFilesOutsideTheFolder(t *testing.T) {
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

	worked := attempt(t, p, patience, SiteOrigin+"/inside")
	if diff := cmp.Diff(webWays, worked[SiteOrigin+"/inside"]); diff != "" {
		t.Fatalf("inside the folder these ways work (-want +got):\n%s", diff)
	}
	wantNoWay(t, attempt(t, p, hopeless,
		"file://"+outside, "file://localhost"+outside, "view-source:file://"+outside, "filesystem:"+SiteOrigin+outside,
		SiteOrigin+"/../outside", SiteOrigin+"/%2e%2e%2foutside", SiteOrigin+"/inside/..%2f..%2foutside", SiteOrigin+`/..\..\outside`,
		SiteOrigin+"/absolute", SiteOrigin+"/relative", SiteOrigin+"/up/outside", SiteOrigin+"/"+outside, "http://helios.localhost:80"+outside,
	))

	t.Run("by navigating", func(t *testing.T) {
		said := make(chan struct{})
		On(p.Session, cdplog.EntryAdded, func(e cdplog.EventEntryAdded) {
			if strings.Contains(e.Entry.Text, "Not allowed to load local resource") && strings.Contains(e.Entry.Text, "navigated") {
				close(said)
			}
		})
		if _, err := Call(limit(t), p.Session, cdplog.Enable, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		target := "file://" + outside + "/secret.html?navigated"
		evaluate[string](t, p, `location.href = "`+target+`"`)
		select {
		case <-said:
		case <-limit(t).Done():
			t.Error("Chromium did not say that it refused")
		}
	})
}

// spellings are the ways to write the addresses of this machine.
func spellings(t *testing.T) []string {
	t.Helper()
	hosts := []string{
		"127.0.0.1", "localhost", "[::1]", "127.1", "127.255.255.254", "0.0.0.0", "0", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1",
		"%31%32%37.0.0.1", "①②⑦.0.0.1", "LOCALHOST", "localhost.", "helios.localhost", "foo.localhost", "a.b.localhost.",
		"[::]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]",
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

func TestOtherPortsOfThisMachine(t *testing.T) {
	t.Parallel()
	n, secure := newNeighbour(t, false), newNeighbour(t, true)
	dir := folder(t, map[string]string{"index.html": attemptsPage, "attempts.js": attempts})
	p := navigate(t, launch(t, Options{Folder: dir}), SiteOrigin+"/index.html")
	if _, err := Call(limit(t), p.Session, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true}); err != nil {
		t.Fatal(err)
	}

	t.Run("by every way", func(t *testing.T) {
		var addresses []string
		for _, host := range []string{"127.0.0.1", "localhost", "[::1]"} {
			addresses = append(addresses, "http://"+host+":"+n.port, "https://"+host+":"+secure.port)
		}
		wantNoWay(t, attempt(t, p, hopeless, addresses...))
	})
	t.Run("by every name", func(t *testing.T) {
		ports := map[string]string{"http": n.port, "https": secure.port, "ws": n.port, "wss": secure.port}
		var addresses []string
		for _, host := range append(spellings(t), "169.254.169.254", "[fe80::1]", "[fe80::a9fe:a9fe]", "[fd00:ec2::254]", "[ff02::1]", "224.0.0.1") {
			for scheme, port := range ports {
				addresses = append(addresses, scheme+"://"+host+":"+port+"/secret.socket")
			}
		}
		list, _ := json.Marshal(addresses)
		worked := evaluate[[]string](t, p, `Promise.all(`+string(list)+`.map(address => {
			if (address.startsWith("ws")) {
				const socket = new WebSocket(address);
				return new Promise(done => { socket.onopen = () => done(address); socket.onerror = () => done(null); });
			}
			return fetch(address).then(() => address, () => null);
		})).then(all => all.filter(Boolean))`)
		if len(worked) > 0 {
			t.Errorf("reached: %s", strings.Join(worked, ", "))
		}
		for _, a := range p.Assets() {
			if strings.HasSuffix(a.URL, "/secret.socket") && a.Problem != errRefused.Error() {
				t.Errorf("%s %s: %q", a.Kind, a.URL, a.Problem)
			}
		}
	})
	t.Run("by ways of which the page hears nothing", func(t *testing.T) {
		// Each is over when its last promise is: what goes around the proxy goes at once.
		evaluate[bool](t, p, `(async (port) => {
			const base = "http://127.0.0.1:" + port;
			navigator.sendBeacon(base + "/beacon", "x");
			for (const rel of ["preconnect", "dns-prefetch", "prefetch", "prerender", "modulepreload", "icon", "manifest"])
				document.head.append(Object.assign(document.createElement("link"), {rel, href: base + "/" + rel}));
			const form = Object.assign(document.createElement("form"), {method: "post", action: base + "/form", target: "_blank"});
			document.body.append(form);
			form.submit();
			document.body.append(Object.assign(document.createElement("a"), {href: "#", ping: base + "/ping", id: "ping"}));
			document.getElementById("ping").click();
			const servers = [{urls: "stun:127.0.0.1:" + port}];
			for (const how of ["turn:127.0.0.1:" + port + "?transport=udp", "turn:127.0.0.1:" + port + "?transport=tcp", "turns:127.0.0.1:" + port])
				servers.push({urls: how, username: "x", credential: "x"});
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
		})("`+n.port+`")`)
	})
	n.wantAlone(t)
	secure.wantAlone(t)
}

func TestCompositionOnThisMachine(t *testing.T) {
	for name, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, other := newNeighbour(t, secure), newNeighbour(t, secure)
			page := n.URL + "/attempts.html"
			b := launch(t, Options{URL: page})
			p := open(t, b)
			if _, err := Call(limit(t), p.Session, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true}); err != nil {
				t.Fatal(err)
			}
			if err := p.Navigate(limit(t), page); err != nil {
				t.Fatal(err)
			}
			worked := attempt(t, p, patience, n.URL)
			if secure && !slices.Contains(worked[n.URL], "window") {
				// A second window minds the certificate, unless it comes late enough.
				worked[n.URL] = append(worked[n.URL], "window")
			}
			if diff := cmp.Diff(everyWay, worked[n.URL]); diff != "" {
				t.Errorf("at its own origin these ways work (-want +got):\n%s", diff)
			}
			wantNoWay(t, attempt(t, p, hopeless, other.URL, n.URL+"/to/"+url.PathEscape(other.URL)))
			// The same port of the same machine, but not what the user said.
			before := n.contacts.Load()
			for _, host := range []string{"localhost", "[::1]", "127.0.0.2"} {
				u, _ := url.Parse(n.URL)
				wantNoWay(t, attempt(t, p, "1000", u.Scheme+"://"+host+":"+n.port))
			}
			if after := n.contacts.Load(); after > before {
				t.Errorf("%d connections came to the same port by other names", after-before)
			}
			other.wantAlone(t)
		})
	}
}
