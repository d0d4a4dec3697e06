package capture

import (
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"helios/shared/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(tests{m}) }

// tests runs the tests and then closes what they share.
type tests struct{ *testing.M }

func (m tests) Run() (code int) {
	var err error
	if site, err = os.MkdirTemp("", "helios-capture-test-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(site)
	server = httptest.NewServer(&handlers)
	defer server.Close()
	defer browsers.close()
	return m.M.Run()
}

// small is the default of the tests: a small page at 30 frames per second.
var small = Options{Width: 160, Height: 90, FPS: job.Rate{Num: 30, Den: 1}, Timeout: 20 * time.Second}

// soak skips a test that takes minutes, unless HELIOS_SOAK is set.
func soak(t *testing.T) {
	t.Helper()
	if os.Getenv("HELIOS_SOAK") == "" {
		t.Skip("takes minutes; see make soak")
	}
}
