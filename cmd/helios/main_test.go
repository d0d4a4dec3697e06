package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary a command helios, too, on the PATH of all tests.
func TestMain(m *testing.M) {
	if os.Getenv("GORACE") == "" {
		// The race detector would hold up the end of each helios by a second.
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
			"fails":   scriptFails,
			"video":   scriptVideo,
			"same":    scriptSame,
			"clean":   scriptClean,
			"serve":   scriptServe,
			"write":   scriptWrite,
			"sound":   scriptSound,
			"picture": scriptPicture,
			"unzip":   scriptUnzip,
		},
	})
}
