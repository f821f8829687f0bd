package bench

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeeper: when its input ends, a whole group of processes is gone, and the folder. That the pipe of their output ends shows
// that nobody holds it any more.
func TestKeeper(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "peer")
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "sleep 1000 & echo started; sleep 1000")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := startProcess(cmd); err != nil {
		t.Fatal(err)
	}
	started := make([]byte, len("started\n"))
	if _, err := out.Read(started); err != nil || string(started) != "started\n" {
		t.Fatalf("%q, %v", started, err)
	}
	k, err := startKeeper(dir)
	if err == nil {
		err = errors.Join(k.watch(cmd.Process.Pid), k.stop())
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(started); err == nil {
		t.Errorf("output after the end: %q", started)
	}
	_ = cmd.Wait() // killed
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder: %v", err)
	}
}

func TestKeeperTakesNoStrangeGroups(t *testing.T) {
	for _, group := range []string{"0", "1", "-1", "-7", "x", ""} {
		if err := Keep(strings.NewReader(filepath.Join(t.TempDir(), "none") + "\n" + group + "\n")); err == nil {
			t.Errorf("%q is taken as a group", group)
		}
	}
	if err := Keep(strings.NewReader("")); err != nil {
		t.Error(err)
	}
}
