package capture

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/tempfile"
	"helios/shared/video"
)

//go:embed media.js
var mediaSource string

// prelude returns the script that takes control of the page's media elements.
func (m *mediaServer) prelude(o Options) string {
	return fmt.Sprintf("(%s)(%d / %d, %q);", strings.TrimSpace(mediaSource), o.FPS.Num, o.FPS.Den, m.address+infoPath)
}

// infoPath is the path, below the server's URL, where a page requests the description of a source.
const infoPath = "info"

// mediaWorld is the interface of media.js, in the page's own world.
const mediaWorld = `window[Symbol.for("helios.media")]`

// mediaServer serves descriptions of the sources of one page's media elements, and the frames of its videos.
//
// A video element shows a frame as its poster, so all CSS of the element applies. The page requests a frame by its
// index in the file.
type mediaServer struct {
	browser    *browser.Browser
	address    string // the server's URL
	unregister func()
	page       *browser.Page
	drawn      bool // the page draws videos into canvases

	probing sync.Mutex // held while a source is probed
	sources map[string]source

	mu      sync.Mutex
	clips   []clip
	readers map[playback]*reader
	failed  error         // why a frame or a source cannot be served
	dir     *tempfile.Dir // contains the sources of data: URLs
	inline  int           // the number of files in dir
	ctx     context.Context
	cancel  context.CancelFunc
}

// clip is a source with video frames.
type clip struct {
	url  string
	path string
	info *video.Info
}

// playback identifies an element that plays a clip. Each playback has its own position, and so its own reader.
type playback struct {
	clip, element int
}

// reader is a video.Reader that requests use one at a time.
type reader struct {
	mu sync.Mutex
	*video.Reader
}

// source is the description of a source for the page.
type source struct {
	URL      string    `json:"url"`
	Problem  string    `json:"problem"` // why it cannot be played
	Duration float64   `json:"duration"`
	TimeBase float64   `json:"timeBase"`
	PTS      []float64 `json:"pts"` // the presentation times of its frames, in seconds
	Width    int       `json:"width"`
	Height   int       `json:"height"`
	Frames   string    `json:"frames"` // the prefix of the URLs of its frames; the element and the index follow
}

func newMediaServer(b *browser.Browser) *mediaServer {
	m := &mediaServer{browser: b, sources: map[string]source{}, readers: map[playback]*reader{}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.address, m.unregister = b.Handle(m)
	return m
}

// close releases all resources. The page must be closed before.
func (m *mediaServer) close() {
	m.unregister()
	m.cancel()
	m.mu.Lock()
	readers := m.readers
	m.readers = nil
	m.mu.Unlock()
	// m.mu is not held here, because a request that holds a reader may still record a failure.
	for _, r := range readers {
		r.mu.Lock()
		r.Close()
		r.mu.Unlock()
	}
	if m.dir != nil {
		m.dir.Remove()
	}
}

// reader returns the reader and the URL of a clip. The reader is nil if there is no such clip or the page is closed.
func (m *mediaServer) reader(s playback) (*reader, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.clip < 0 || s.clip >= len(m.clips) || m.ctx.Err() != nil {
		return nil, ""
	}
	c := m.clips[s.clip]
	if m.readers[s] == nil {
		m.readers[s] = &reader{Reader: video.NewReader(c.path, c.info)}
	}
	return m.readers[s], c.url
}

// ServeHTTP serves a frame at clip/element/index, and the description of a source at info.
func (m *mediaServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == infoPath {
		m.serveSource(w, r)
		return
	}
	var s playback
	var n int
	if _, err := fmt.Sscanf(r.URL.Path, "%d/%d/%d", &s.clip, &s.element, &n); err != nil {
		http.NotFound(w, r)
		return
	}
	from, name := m.reader(s)
	if from == nil {
		http.NotFound(w, r)
		return
	}
	from.mu.Lock()
	defer from.mu.Unlock()
	if m.ctx.Err() != nil {
		return // the page and the reader are closed
	}
	frame, err := from.Frame(m.ctx, n)
	if err != nil {
		m.recordFailure(fmt.Errorf("decoding %s: %w", name, err))
		http.Error(w, "no frame", http.StatusInternalServerError)
		return
	}
	h, kind := w.Header(), http.DetectContentType(frame)
	if r.URL.RawQuery == "inline" {
		h.Set("Content-Type", "text/plain")
		io.WriteString(w, "data:"+kind+";base64,"+base64.StdEncoding.EncodeToString(frame))
		return
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(frame)))
	h.Set("Cache-Control", "no-store") // otherwise Chromium writes frames to its disk cache
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Timing-Allow-Origin", "*")
	w.Write(frame)
}

// serveSource returns the description of the source whose URL is the request's body.
func (m *mediaServer) serveSource(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	address, err := io.ReadAll(r.Body)
	if err != nil {
		return // the page is closed
	}
	s, err := m.probe(m.ctx, string(address))
	if err != nil {
		m.recordFailure(err)
		http.Error(w, "no source", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s) // fails if the page is gone
}

func (m *mediaServer) recordFailure(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed == nil && m.ctx.Err() == nil {
		m.failed = err
	}
}

// failure returns why a frame or a source cannot be served.
func (m *mediaServer) failure() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failed
}

// awaitReady waits for the promise in window.helios.ready, which may itself wait for a media element.
func (p *Player) awaitReady(ctx context.Context) error {
	if err := p.discoverMedia(ctx); err != nil {
		return err
	}
	for ready := false; !ready; {
		if err := p.main.Evaluate(ctx, mediaWorld+".wait(window.helios?.ready)", &ready); err != nil {
			return fmt.Errorf("window.helios.ready: %w", err)
		}
		if err := p.discoverMedia(ctx); err != nil {
			return err
		}
	}
	return p.main.Evaluate(ctx, mediaWorld+".all('begin')", nil)
}

// discoverMedia probes new sources of the page's media elements and passes their descriptions to the page.
func (p *Player) discoverMedia(ctx context.Context) error {
	var urls []string
	if err := p.main.Evaluate(ctx, mediaWorld+".unknownSources()", &urls); err != nil {
		return err
	}
	return p.probeMedia(ctx, urls)
}

func (p *Player) probeMedia(ctx context.Context, urls []string) error {
	var sources []source
	for _, u := range urls {
		s, err := p.media.probe(ctx, u)
		if err != nil {
			return err
		}
		sources = append(sources, s)
	}
	if len(sources) == 0 {
		return nil
	}
	encoded, err := json.Marshal(sources)
	if err != nil {
		return err
	}
	return p.main.Evaluate(ctx, fmt.Sprintf("%s.addSources(%s)", mediaWorld, encoded), nil)
}

// probe returns the description of a source. It records the source as an asset of the page, once.
func (m *mediaServer) probe(ctx context.Context, address string) (source, error) {
	m.probing.Lock()
	defer m.probing.Unlock()
	if s, ok := m.sources[address]; ok {
		return s, nil
	}
	s, err := m.probeFile(ctx, address)
	if fault.Of(err) == fault.User {
		s.Problem = err.Error()
	} else if err != nil {
		return s, fmt.Errorf("opening %.200s: %w", address, err)
	}
	m.sources[address] = s
	if !strings.HasPrefix(address, "data:") {
		short, file := browser.AssetName(address)
		m.page.AddAsset(browser.Asset{URL: short, File: file, Kind: "Media", Status: http.StatusOK})
		if s.Problem != "" {
			m.page.FailAsset(address, s.Problem)
		}
	}
	return s, nil
}

// probeFile probes a source. If the source does not load or decode, the error is a fault.User.
func (m *mediaServer) probeFile(ctx context.Context, address string) (source, error) {
	s := source{URL: address, PTS: []float64{}}
	path, err := m.localFile(ctx, address)
	if err != nil {
		return s, err
	}
	info, err := video.Probe(ctx, path)
	if err != nil {
		return s, err
	}
	s.Duration, s.TimeBase, s.Width, s.Height = info.Duration, info.TimeBase, info.Width, info.Height
	if len(info.Times) == 0 {
		return s, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s.PTS, s.Frames = info.Times, fmt.Sprintf("%s%d/", m.address, len(m.clips))
	short, _ := browser.AssetName(address)
	m.clips = append(m.clips, clip{short, path, info})
	return s, nil
}

// localFile returns a file with the content of a URL.
func (m *mediaServer) localFile(ctx context.Context, address string) (string, error) {
	data, inline := strings.CutPrefix(address, "data:")
	if !inline {
		return m.browser.LocalFile(ctx, address)
	}
	kind, data, _ := strings.Cut(data, ",")
	content, err := url.PathUnescape(data)
	if err == nil && strings.HasSuffix(kind, ";base64") {
		var decoded []byte
		decoded, err = base64.StdEncoding.DecodeString(content)
		content = string(decoded)
	}
	if err != nil {
		return "", fault.Userf("decoding the data: URL: %w", err)
	}
	if m.dir == nil {
		if m.dir, err = tempfile.MkdirTemp(""); err != nil {
			return "", err
		}
	}
	m.inline++
	path := filepath.Join(m.dir.Path(), strconv.Itoa(m.inline))
	return path, os.WriteFile(path, []byte(content), 0o600)
}

// showVideoFrames makes the page's videos show their frames for frame n. It skips that if frame n is not drawn, unless
// the page draws videos into canvases. If time has moved, the timers that are due fire first.
func (p *Player) showVideoFrames(ctx context.Context, n int64, out output, moved bool) error {
	if out == outputNone && !p.media.drawn {
		if moved {
			return p.clock.settle(ctx)
		}
		return nil
	}
	var answer struct {
		Unknown []string
		Drawn   bool
	}
	t := p.o.FPS.Milliseconds(n) / 1000
	// The description of a source may make the page use another one.
	for range 8 {
		var err error
		if moved {
			script := fmt.Sprintf("%s.frame(%v, %v)", mediaWorld, t, p.clock.mark(p.clock.next))
			err = p.clock.evaluatePaused(ctx, p.main, script, &answer)
		} else {
			err = p.main.Evaluate(ctx, fmt.Sprintf("%s.frame(%v)", mediaWorld, t), &answer)
		}
		if failed := p.media.failure(); failed != nil {
			return failed
		}
		if err != nil {
			return err
		}
		moved = false
		p.media.drawn = answer.Drawn
		if len(answer.Unknown) == 0 {
			return nil
		}
		if err := p.probeMedia(ctx, answer.Unknown); err != nil {
			return err
		}
	}
	return nil
}
