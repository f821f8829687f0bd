package bench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// KeeperCommand is how the binary starts itself as a keeper: its arguments after the program's name.
var KeeperCommand = []string{"bench", "keeper"}

// keeper is a process that outlives this one for a moment. The kernel ends the processes that this one started when it is
// killed, but not those that they started, as a peer's script does, and removes no folder. The keeper does both when its
// input ends, however that came about.
type keeper struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

// startKeeper starts one that will remove dir.
func startKeeper(dir string) (*keeper, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program to start it again: %w", err)
	}
	k := &keeper{cmd: exec.Command(exe, KeeperCommand...)}
	k.cmd.Args[0] = "fastpay"
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if k.in, err = k.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := k.cmd.Start(); err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(k.in, "%s\n", dir)
	return k, err
}

// watch adds a group of processes.
func (k *keeper) watch(group int) error {
	_, err := fmt.Fprintf(k.in, "%d\n", group)
	return err
}

// stop lets it do its work, which is done when stop returns.
func (k *keeper) stop() error {
	_ = k.in.Close()
	return k.cmd.Wait()
}

// Keep is the keeper's process: in has the folder to remove, and then groups of processes to kill, a line each.
func Keep(in io.Reader) error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) // it ends with its input
	lines := bufio.NewScanner(in)
	var dir string
	var groups []int
	for lines.Scan() {
		text := strings.TrimSuffix(lines.Text(), "\n")
		if dir == "" {
			dir = text
			continue
		}
		group, err := strconv.Atoi(text)
		if err != nil || group <= 1 {
			return fmt.Errorf("bench: keeper: %q is no group of processes", text)
		}
		groups = append(groups, group)
	}
	for _, group := range groups {
		_ = syscall.Kill(-group, syscall.SIGKILL) // it may have ended
	}
	if dir == "" {
		return lines.Err()
	}
	err := os.RemoveAll(dir)
	for range removals { // processes that are being killed may still make files there
		if _, missing := os.Stat(dir); errors.Is(missing, os.ErrNotExist) {
			return nil
		}
		time.Sleep(removeEvery)
		err = os.RemoveAll(dir)
	}
	return err
}

// A folder is removed so often at most, and with such pauses.
const (
	removals    = 20
	removeEvery = 50 * time.Millisecond
)
