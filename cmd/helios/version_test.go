package main

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	for _, test := range []struct {
		name       string
		info       *debug.BuildInfo
		text, json string
	}{
		{
			"no build information", nil,
			"helios (devel) (" + runtime.Version() + ", " + platform + ")\n",
			`{"version":"(devel)","modified":false,"go":"` + runtime.Version() + `","platform":"` + platform + `"}` + "\n",
		},
		{
			"no repository", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}},
			"helios (devel) (" + runtime.Version() + ", " + platform + ")\n",
			`{"version":"(devel)","modified":false,"go":"` + runtime.Version() + `","platform":"` + platform + `"}` + "\n",
		},
		{
			"release", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
				{Key: "vcs", Value: "git"},
				{Key: "vcs.revision", Value: "0123abc"},
				{Key: "vcs.time", Value: "2026-01-02T03:04:05Z"},
				{Key: "vcs.modified", Value: "false"},
			}},
			"helios v1.2.3 (revision 0123abc, " + runtime.Version() + ", " + platform + ")\n",
			`{"version":"v1.2.3","revision":"0123abc","time":"2026-01-02T03:04:05Z","modified":false,` +
				`"go":"` + runtime.Version() + `","platform":"` + platform + `"}` + "\n",
		},
		{
			"uncommitted changes", &debug.BuildInfo{Settings: []debug.BuildSetting{
				{Key: "vcs.revision", Value: "0123abc"}, {Key: "vcs.modified", Value: "true"},
			}},
			"helios (devel) (revision 0123abc, modified, " + runtime.Version() + ", " + platform + ")\n",
			`{"version":"(devel)","revision":"0123abc","modified":true,"go":"` + runtime.Version() + `","platform":"` +
				platform + `"}` + "\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var text, json bytes.Buffer
			if err := versionOf(test.info).print(&text, false); err != nil {
				t.Fatal(err)
			}
			if err := versionOf(test.info).print(&json, true); err != nil {
				t.Fatal(err)
			}
			if text.String() != test.text {
				t.Errorf("text is %q, want %q", &text, test.text)
			}
			if json.String() != test.json {
				t.Errorf("JSON is %s, want %s", &json, test.json)
			}
		})
	}
}
