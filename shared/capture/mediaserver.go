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

// mediaPrelude is the script that takes the media elements of a page in hand.
func (m *media) prelude(o Options) string {
	return fmt.Sprintf("(%s)(%d / %d, %q);", strings.TrimSpace(mediaSource), o.FPS.Num, o.FPS.Den, m.address+learning)
}

// learning is where, behind the address of media, a page asks for a source of which nothing is known yet.
const learning = "learn"

// mediaWorld is what media.js offers, in the page's own world.
const mediaWorld = `window[Symbol.for("helios.media")]`

// media are the sources of the media elements of one page, and the pictures of its videos.
//
// A video shows a picture by its poster attribute, so that whatever CSS says about the element holds. The page
// asks for a picture by its place in the file, from an address at which media answers.
type media struct {
	browser  *browser.Browser
	address  string
	withdraw func()
	page     *browser.Page
	drawn    bool // the page draws videos into canvases

	learning sync.Mutex // held while a source is looked into
	seen     map[string]source

	mu      sync.Mutex
	clips   []clip
	readers map[showing]*reader
	failed  error         // why a picture could not be had
	dir     *tempfile.Dir // of the sources that stand in the page itself
	inlined int
	ctx     context.Context
	cancel  context.CancelFunc
}

// clip is a source with pictures.
type clip struct {
	url  string
	path string
	info *video.Info
}

// showing is one element that shows a clip. Each is elsewhere in it.
type showing struct {
	clip, element int
}

// reader is a video.Reader for one request at a time.
type reader struct {
	mu sync.Mutex
	*video.Reader
}

// source is what the page is told of a source.
type source struct {
	URL      string    `json:"url"`
	Problem  string    `json:"problem"`
	Duration float64   `json:"duration"`
	Grain    float64   `json:"grain"`
	PTS      []float64 `json:"pts"`
	Width    int       `json:"width"`
	Height   int       `json:"height"`
	Frames   string    `json:"frames"` // the address of its pictures but for the number
}

func newMedia(b *browser.Browser) *media {
	m := &media{browser: b, seen: map[string]source{}, readers: map[showing]*reader{}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.address, m.withdraw = b.Handle(m)
	return m
}

// close ends what runs for the page, which is closed.
func (m *media) close() {
	m.withdraw()
	m.cancel()
	m.mu.Lock()
	readers := m.readers
	m.readers = nil
	m.mu.Unlock()
	// Who holds a reader may want to tell of a failure first.
	for _, r := range readers {
		r.mu.Lock()
		r.Close()
		r.mu.Unlock()
	}
	if m.dir != nil {
		m.dir.Remove()
	}
}

// reader returns what reads a clip for an element; nil when there is no such clip or the page is closed.
func (m *media) reader(s showing) (*reader, string) {
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

// ServeHTTP answers with a picture, clip/element/picture, or with what is known of the source whose address is sent.
func (m *media) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == learning {
		m.serveSource(w, r)
		return
	}
	var s showing
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
		return // the page is closed, and so is the reader
	}
	picture, err := from.Frame(m.ctx, n)
	if err != nil {
		m.recordFailure(fmt.Errorf("decoding %s: %w", name, err))
		http.Error(w, "no picture", http.StatusInternalServerError)
		return
	}
	h, kind := w.Header(), http.DetectContentType(picture)
	if r.URL.RawQuery == "inline" {
		h.Set("Content-Type", "text/plain")
		io.WriteString(w, "data:"+kind+";base64,"+base64.StdEncoding.EncodeToString(picture))
		return
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(picture)))
	h.Set("Cache-Control", "no-store") // else Chromium writes all of them to its disk
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Timing-Allow-Origin", "*")
	w.Write(picture)
}

// teach answers with what is to be known of the source whose address is sent.
func (m *media) serveSource(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	address, err := io.ReadAll(r.Body)
	if err != nil {
		return // the page is gone
	}
	s, err := m.probe(m.ctx, string(address))
	if err != nil {
		m.recordFailure(err)
		http.Error(w, "no source", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s)
}

func (m *media) recordFailure(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed == nil && m.ctx.Err() == nil {
		m.failed = err
	}
}

// failure returns why a picture could not be had.
func (m *media) failure() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failed
}

// ready waits for the promise in window.helios.ready. What it waits for may be a media element.
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

// discoverMedia looks for media elements whose sources are not known yet, and tells the page of them.
func (p *Player) discoverMedia(ctx context.Context) error {
	var urls []string
	if err := p.main.Evaluate(ctx, mediaWorld+".search()", &urls); err != nil {
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
	return p.main.Evaluate(ctx, fmt.Sprintf("%s.learn(%s)", mediaWorld, encoded), nil)
}

// learn finds out about a source, and notes it as an asset of the page, once.
func (m *media) probe(ctx context.Context, address string) (source, error) {
	m.learning.Lock()
	defer m.learning.Unlock()
	if s, ok := m.seen[address]; ok {
		return s, nil
	}
	s, err := m.probeFile(ctx, address)
	if fault.Of(err) == fault.User {
		s.Problem = err.Error()
	} else if err != nil {
		return s, fmt.Errorf("opening %.200s: %w", address, err)
	}
	m.seen[address] = s
	if !strings.HasPrefix(address, "data:") {
		short, file := browser.AssetName(address)
		m.page.AddAsset(browser.Asset{URL: short, File: file, Kind: "Media", Status: http.StatusOK})
		if s.Problem != "" {
			m.page.FailAsset(address, s.Problem)
		}
	}
	return s, nil
}

// open finds out about a source. What it cannot have or read is a fault.User.
func (m *media) probeFile(ctx context.Context, address string) (source, error) {
	s := source{URL: address, PTS: []float64{}}
	path, err := m.localFile(ctx, address)
	if err != nil {
		return s, err
	}
	info, err := video.Probe(ctx, path)
	if err != nil {
		return s, err
	}
	s.Duration, s.Grain, s.Width, s.Height = info.Duration, info.TimeBase, info.Width, info.Height
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

// file returns a file with what is at an address.
func (m *media) localFile(ctx context.Context, address string) (string, error) {
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
		return "", fault.Userf("its data cannot be read: %w", err)
	}
	if m.dir == nil {
		if m.dir, err = tempfile.MkdirTemp(""); err != nil {
			return "", err
		}
	}
	m.inlined++
	path := filepath.Join(m.dir.Path(), strconv.Itoa(m.inlined))
	return path, os.WriteFile(path, []byte(content), 0o600)
}

// showVideoFrames makes the videos of the page show what belongs into frame n. Nobody sees them in a frame that is not drawn,
// unless the page itself draws them. If time has moved, the clock is made to stand first.
func (p *Player) showVideoFrames(ctx context.Context, n int64, out output, moved bool) error {
	if out == nothing && !p.media.drawn {
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
	for range 8 {
		var err error
		if moved {
			err = p.clock.evaluatePaused(ctx, p.main, fmt.Sprintf("%s.frame(%v, %v)", mediaWorld, t, p.clock.mark(p.clock.next)), &answer)
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
