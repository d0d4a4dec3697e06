package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain puts this test binary on the PATH as the command helios.
func TestMain(m *testing.M) {
	if os.Getenv("GORACE") == "" {
		// By default the race detector delays the exit of every helios by a second.
		os.Setenv("GORACE", "atexit_sleep_ms=10")
	}
	testscript.Main(m, map[string]func(){"helios": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		Setup:              setupScript,
		RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"audio":  scriptAudio,
			"clean":  scriptClean,
			"fails":  scriptFails,
			"frames": scriptFrames,
			"same":   scriptSame,
			"serve":  scriptServe,
			"unzip":  scriptUnzip,
			"video":  scriptVideo,
			"write":  scriptWrite,
		},
	})
}
