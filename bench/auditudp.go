package bench

import (
	"errors"
	"net"
	"strconv"
	"time"

	"fastpay/codec"
)

// Over UDP fewer questions are under way, and those without an answer are asked again.
const (
	auditDatagrams = 32
	auditPatience  = 200 * time.Millisecond
)

// readShardUDP is readShard for a server that speaks UDP alone.
func readShardUDP(host string, port int, of []int32, w *workload, timeout time.Duration) (total books, err error) {
	c, err := net.Dial("udp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return books{}, err
	}
	defer c.Close()
	b := make([]byte, codec.DefaultMaxMessage)
	for len(of) > 0 {
		chunk := of[:min(auditDatagrams, len(of))]
		of = of[len(chunk):]
		left := make(map[codec.Address]int32, len(chunk))
		for _, i := range chunk {
			left[w.accounts[i]] = i
		}
		for deadline := time.Now().Add(timeout); len(left) > 0; {
			if time.Now().After(deadline) {
				return books{}, errors.New("no answer in time")
			}
			if err := total.askUDP(c, left, w, b); err != nil {
				return books{}, err
			}
		}
	}
	return total, nil
}

// askUDP asks about all accounts that are left, and books the answers that come until patience is over.
func (t *books) askUDP(c net.Conn, left map[codec.Address]int32, w *workload, b []byte) error {
	for account := range left {
		if _, err := c.Write(codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: account})); err != nil {
			return err
		}
	}
	if err := c.SetReadDeadline(time.Now().Add(auditPatience)); err != nil {
		return err
	}
	var m codec.Message
	for len(left) > 0 {
		n, err := c.Read(b)
		if err != nil { // patience is over; what is left is asked again
			return nil
		}
		if !m.Decode(b[:n]) {
			return errors.New("an answer is not a message")
		}
		if m.Kind == codec.KindError {
			return m.Error()
		}
		account := m.InfoResponse().Account
		i, waiting := left[account]
		if !waiting { // it came twice
			continue
		}
		if err := t.add(b[:n], w, int(i)); err != nil {
			return err
		}
		delete(left, account)
	}
	return nil
}
