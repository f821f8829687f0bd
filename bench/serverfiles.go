package bench

import (
	"bufio"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strconv"

	"fastpay/codec"
	"fastpay/node/committee"
)

// serverFiles is a folder with the files that a server is started with, as the prototype has them: server.json,
// committee.json, accounts.txt. It may have more.
type serverFiles struct{ dir string }

func (f serverFiles) file(name string) string { return filepath.Join(f.dir, name) }

// write writes them; all accounts begin with the same balance.
func (f serverFiles) write(server *committee.Server, members []committee.Member, accounts iter.Seq[*codec.Address],
	balance uint64) error {
	text, err := committee.AppendServer(nil, server)
	if err != nil {
		return err
	}
	var lines []byte
	for i := range members {
		line, err := members[i].MarshalJSON()
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	return errors.Join(os.WriteFile(f.file("server.json"), text, 0o600), os.WriteFile(f.file("committee.json"), lines, 0o600),
		f.writeAccounts(accounts, balance))
}

func (f serverFiles) writeAccounts(accounts iter.Seq[*codec.Address], balance uint64) error {
	file, err := os.OpenFile(f.file("accounts.txt"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	var line []byte
	for address := range accounts {
		line = append(codec.AppendAddress(line[:0], address), ':')
		line = append(strconv.AppendUint(line, balance, 10), '\n')
		_, _ = out.Write(line) // Flush has its error
	}
	return errors.Join(out.Flush(), file.Close())
}
