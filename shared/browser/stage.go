package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

//go:embed stage.html
var stage []byte

// stagePath is where the site has a page of ours, which shows one of the composition in a frame inside a canvas.
const stagePath = "/.helios-stage"

// OnStage returns the address of a page that shows another one of the site, by its address, in a frame inside a
// canvas, from which its picture can be taken.
func OnStage(address string) string {
	return SiteOrigin + stagePath + "#" + url.QueryEscape(strings.TrimPrefix(address, SiteOrigin))
}

func serveStage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(stage)
}

// Frame is a frame inside a page.
type Frame struct {
	ID cdp.FrameID
	// Own is the world of the frame's scripts, Isolated one that they cannot see.
	Own, Isolated World
}

// Child returns the first frame inside the page. It must be of the page's own process, as all are.
func (p *Page) Child(ctx context.Context) (Frame, error) {
	tree, err := Call(ctx, p.Session, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return Frame{}, err
	}
	if len(tree.FrameTree.ChildFrames) == 0 {
		return Frame{}, errors.New("the page has no frame inside")
	}
	f := Frame{ID: tree.FrameTree.ChildFrames[0].Frame.ID}
	id, ok := p.worlds.Load(f.ID)
	if !ok {
		return Frame{}, errors.New("the frame inside the page runs no scripts")
	}
	f.Own = World{p, id.(runtime.ExecutionContextID)}
	r, err := Call(ctx, p.Session, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: f.ID, WorldName: "helios"})
	f.Isolated = World{p, r.ExecutionContextID}
	return f, err
}

// Own is the world of the page's own scripts.
func (p *Page) Own() World { return World{page: p} }

// Outermost is the frame that holds all others; Chromium gives it the number of the page's target.
func (p *Page) Outermost() cdp.FrameID { return cdp.FrameID(p.target) }

// noteWorld remembers the world of a frame's own scripts.
func (p *Page) noteWorld(e runtime.EventExecutionContextCreated) {
	var of struct {
		Frame   cdp.FrameID `json:"frameId"`
		Default bool        `json:"isDefault"`
	}
	if json.Unmarshal(e.Context.AuxData, &of) == nil && of.Default {
		p.worlds.Store(of.Frame, e.Context.ID)
	}
}
