package browser

import (
	"fmt"
	"testing"
)

// Commands that are sent without waiting are taken up one after the other, and their answers find those who sent them.
func TestCommandsAreTakenUpInTheirOrder(t *testing.T) {
	p := open(t, launch(t, Options{}))
	const many = 100
	var sent []Evaluation
	never := p.MainWorld().Start(limit(t), endless)
	for i := range many {
		sent = append(sent, p.MainWorld().Start(limit(t), fmt.Sprintf("(window.last ??= -1) === %d ? ++window.last : -1", i-1)))
	}
	for i, e := range sent {
		var n int
		if err := e.Wait(limit(t), &n); err != nil || n != i {
			t.Fatalf("command %d was answered by %d: %v", i, n, err)
		}
	}
	if never.Ready() {
		t.Error("a promise that stays open was answered")
	}
	known := p.MainWorld().Start(limit(t), "1")
	evaluate[int](t, p, "2")
	if !known.Ready() {
		t.Error("an answer came after a later one")
	}
}
