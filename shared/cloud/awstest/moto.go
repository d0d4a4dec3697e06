package awstest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"helios/shared/process"
)

// StartMoto starts moto behind an endpoint that invokes the functions of lambda. They stop when the test ends.
func StartMoto(t testing.TB, lambda *Lambda) *Endpoint {
	t.Helper()
	program, err := exec.LookPath("moto_server")
	if err != nil {
		t.Fatal("moto_server is missing; install it with: pip install 'moto[server,stepfunctions]==5.2.1'")
	}
	e := newEndpoint(t, lambda)
	address := freeAddress(t)
	_, endpointPort, _ := strings.Cut(strings.TrimPrefix(e.URL, "http://"), ":")
	_, port, _ := strings.Cut(address, ":")
	cmd := exec.Command(program, "-H", "127.0.0.1", "-p", port)
	// moto calls other services, such as Lambda, at localhost:MOTO_PORT.
	cmd.Env = []string{"MOTO_PORT=" + endpointPort, "AWS_ACCESS_KEY_ID=moto", "AWS_SECRET_ACCESS_KEY=moto"}
	moto, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(moto.Kill)
	e.upstream = &url.URL{Scheme: "http", Host: address}
	configure(t, e.upstream.String(), moto)
	return e
}

// configure waits until moto responds, and makes it run state machines.
func configure(t testing.TB, address string, moto *process.Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/moto-api/config",
			strings.NewReader(`{"stepfunctions": {"execute_state_machine": true}}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode/100 == 2 {
				return
			}
			t.Fatalf("moto returned %s", resp.Status)
		}
		select {
		case <-tick.C:
		case <-moto.Done():
			t.Fatalf("moto exited: %s", moto.LastLine())
		case <-ctx.Done():
			t.Fatal("moto does not respond")
		}
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
