package procfs

import (
	"os"
	"slices"
	"testing"
	"time"
)

func TestProcesses(t *testing.T) {
	all := Processes()
	i := slices.IndexFunc(all, func(p Process) bool { return p.PID == os.Getpid() })
	if i < 0 {
		t.Fatalf("the list of %d processes does not contain this one", len(all))
	}
	if p := all[i]; p.Parent != os.Getppid() || p.Name != "procfs.test" || p.State == "Z" {
		t.Errorf("this process is %+v, want the parent %d", p, os.Getppid())
	}
}

func TestParseStat(t *testing.T) {
	stat := "12 (a ) (b) S 3 4 5 0 -1 0 0 0 0 0 150 50 1000 23 20 0 1 0"
	want := Process{
		PID: 12, Parent: 3, Group: 4, Name: "a ) (b", State: "S",
		CPU: 2 * time.Second, ChildrenCPU: 10230 * time.Millisecond,
	}
	if got, ok := parseStat([]byte(stat)); !ok || got != want {
		t.Errorf("parseStat(%q) = %+v, %t, want %+v", stat, got, ok, want)
	}
	for _, stat := range []string{"", "12", "12 (a) S 3", ")("} {
		if got, ok := parseStat([]byte(stat)); ok {
			t.Errorf("parseStat(%q) = %+v", stat, got)
		}
	}
}

func TestReadMemory(t *testing.T) {
	m, err := ReadMemory()
	if err != nil || m.Available <= 0 || m.Total < m.Available {
		t.Errorf("ReadMemory() = %+v, %v", m, err)
	}
}
