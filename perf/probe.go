package perf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Timings sums up how long something took that was tried again and again.
type Timings struct {
	Times int     `json:"times"`
	P50Us float64 `json:"p50_us"`
	P99Us float64 `json:"p99_us"`
	MaxUs float64 `json:"max_us"`
}

func newTimings(took []time.Duration) Timings {
	if len(took) == 0 {
		return Timings{}
	}
	slices.Sort(took)
	at := func(share float64) float64 { return float64(took[int(share*float64(len(took)-1))]) / 1e3 }
	return Timings{len(took), at(0.5), at(0.99), at(1)}
}

const (
	probeFileBytes = 1 << 20
	probeRecord    = 4 << 10
	probeMessage   = 256
	probeMost      = 1 << 20 // samples
)

// SyncLatency tries for about so long how long a record of 4 KiB takes to be durable in dir: in a file that has its size already,
// as a journal would have it. The file is gone afterwards, also when it fails.
func SyncLatency(dir string, atMost time.Duration) (t Timings, err error) {
	f, err := os.CreateTemp(dir, ".fastpay-sync-*")
	if err != nil {
		return t, fmt.Errorf("perf: disk: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := os.Remove(f.Name()); err != nil { // from here on nothing can leave it behind
		return t, fmt.Errorf("perf: disk: %w", err)
	}
	if _, err := f.Write(make([]byte, probeFileBytes)); err != nil {
		return t, fmt.Errorf("perf: disk: %w", err)
	}
	if err := f.Sync(); err != nil {
		return t, fmt.Errorf("perf: disk: %w", err)
	}
	record := make([]byte, probeRecord)
	var took []time.Duration
	for began := time.Now(); len(took) == 0 || time.Since(began) < atMost && len(took) < probeMost; {
		start := time.Now()
		record[0]++
		if _, err := f.WriteAt(record, int64(len(took)*probeRecord%probeFileBytes)); err != nil {
			return t, fmt.Errorf("perf: disk: %w", err)
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return t, fmt.Errorf("perf: disk: sync: %w", err)
		}
		took = append(took, time.Since(start))
	}
	return newTimings(took), nil
}

// FileSystem names the file system of dir, "" when it is none that matters here.
func FileSystem(dir string) string {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return ""
	}
	switch int64(s.Type) {
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay"
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.NFS_SUPER_MAGIC:
		return "nfs"
	}
	return fmt.Sprintf("type %#x", s.Type)
}

// RoundTrips tries for about so long how long a message of 256 bytes takes to another thread and back, over TCP on loopback.
func RoundTrips(ctx context.Context, atMost time.Duration) (t Timings, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return t, fmt.Errorf("perf: loopback: %w", err)
	}
	defer l.Close()
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		message := make([]byte, probeMessage)
		for {
			if _, err := io.ReadFull(c, message); err != nil {
				return
			}
			if _, err := c.Write(message); err != nil {
				return
			}
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		_ = l.Close()
		<-echoed
		return t, fmt.Errorf("perf: loopback: %w", err)
	}
	took, err := roundTrips(ctx, c, atMost)
	err = errors.Join(err, c.Close())
	<-echoed
	if err != nil {
		return t, fmt.Errorf("perf: loopback: %w", err)
	}
	return newTimings(took), nil
}

func roundTrips(ctx context.Context, c net.Conn, atMost time.Duration) (took []time.Duration, err error) {
	message := make([]byte, probeMessage)
	for began := time.Now(); time.Since(began) < atMost && len(took) < probeMost && ctx.Err() == nil; {
		start := time.Now()
		if _, err := c.Write(message); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(c, message); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	return took, nil
}
