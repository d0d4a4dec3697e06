package browser

import (
	"context"
	"encoding/json"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// World is a JavaScript world of a page: the main world, in which the page's scripts run, or an isolated world, which
// shares only the DOM with it.
type World struct {
	page *Page
	id   runtime.ExecutionContextID // 0 for the main world
}

// isolatedWorld is the name of the isolated world.
const isolatedWorld = "helios"

// MainWorld returns the world of the page's scripts.
func (p *Page) MainWorld() World { return World{page: p} }

// IsolatedWorld returns a world whose variables the page's scripts cannot access. All calls return the same world until
// the page navigates.
func (p *Page) IsolatedWorld(ctx context.Context) (World, error) {
	tree, err := Call(ctx, p.Session, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return World{}, err
	}
	r, err := Call(ctx, p.Session, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{
		FrameID: tree.FrameTree.Frame.ID, WorldName: isolatedWorld,
	})
	return World{p, r.ExecutionContextID}, err
}

// Evaluate evaluates an expression in the main world; see [World.Evaluate].
func (p *Page) Evaluate(ctx context.Context, expression string, result any) error {
	return p.MainWorld().Evaluate(ctx, expression, result)
}

// Evaluate evaluates an expression. If the value is a promise, Evaluate waits for it. It decodes the value from JSON
// into result, unless result is nil. If the expression throws, the error is a fault.User.
func (w World) Evaluate(ctx context.Context, expression string, result any) error {
	return w.Start(ctx, expression).Wait(ctx, result)
}

// Start starts an evaluation without waiting for its value.
func (w World) Start(ctx context.Context, expression string) Evaluation {
	yes := true
	return Evaluation{Send(ctx, w.page.Session, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: w.id, AwaitPromise: &yes, ReturnByValue: &yes,
	})}
}

// Evaluation is an evaluation in progress.
type Evaluation struct {
	*Future[runtime.EvaluateResult]
}

// Wait waits for the value and decodes it, as [World.Evaluate] does. Wait must be called at most once.
func (e Evaluation) Wait(ctx context.Context, result any) error {
	r, err := e.Future.Wait(ctx)
	if err != nil {
		return err
	}
	if r.ExceptionDetails != nil {
		return exceptionError(r.ExceptionDetails)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(r.Result.Value, result)
}
