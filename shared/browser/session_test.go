package browser

import (
	"fmt"
	"testing"
)

func TestCommandsRunInOrder(t *testing.T) {
	p := open(t, launch(t, Options{}))
	const many = 100
	var sent []Evaluation
	unresolved := p.MainWorld().Start(testContext(t), never)
	for i := range many {
		expression := fmt.Sprintf("(window.last ??= -1) === %d ? ++window.last : -1", i-1)
		sent = append(sent, p.MainWorld().Start(testContext(t), expression))
	}
	for i, e := range sent {
		var n int
		if err := e.Wait(testContext(t), &n); err != nil || n != i {
			t.Fatalf("the result of command %d is %d, %v", i, n, err)
		}
	}
	if unresolved.Ready() {
		t.Error("an unresolved promise is ready")
	}
	first := p.MainWorld().Start(testContext(t), "1")
	evaluate[int](t, p, "2")
	if !first.Ready() {
		t.Error("the second result arrived before the first")
	}
}
