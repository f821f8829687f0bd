package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"

	"fastpay/codec"
)

// initialAccounts is the content of an initial accounts file: lines "ADDRESS:BALANCE", an address in base64.
type initialAccounts struct {
	addresses []codec.Address
	balances  []codec.Balance
}

// all yields each account once, in the order of the file.
func (a *initialAccounts) all() iter.Seq2[codec.Address, codec.Balance] {
	return func(yield func(codec.Address, codec.Balance) bool) {
		for i, address := range a.addresses {
			if !yield(address, a.balances[i]) {
				return
			}
		}
	}
}

// shortestAccountLine is a line with a balance of one digit.
const shortestAccountLine = codec.AddressTextSize + 3

// maxAccountLine bounds a line of the file: an address, and a balance with more zeros in front than anyone writes.
const maxAccountLine = 256

// readInitialAccounts reads the file at path. Errors name the line.
func readInitialAccounts(path string) (*initialAccounts, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, hintIfMissing(fmt.Errorf("initial accounts: %w", err),
			"'client ... create_accounts N --initial-funding AMOUNT >> "+path+"' makes it")
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("initial accounts: %w", err)
	}
	accounts, line, err := parseInitialAccounts(file, int(info.Size()/shortestAccountLine))
	if err != nil {
		return nil, fmt.Errorf("initial accounts: %s:%d: %w", path, line, err)
	}
	return accounts, nil
}

// parseInitialAccounts reads all lines, and returns the number of the line that it failed at. There are about sizeHint.
func parseInitialAccounts(r io.Reader, sizeHint int) (*initialAccounts, int, error) {
	a := &initialAccounts{make([]codec.Address, 0, sizeHint), make([]codec.Balance, 0, sizeHint)}
	twice := lookForRepeats(sizeHint)
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxAccountLine)
	var err error
	for lines.Scan() {
		var address codec.Address
		var balance codec.Balance
		if address, balance, err = parseInitialAccount(lines.Bytes()); err != nil {
			break
		}
		a.addresses = append(a.addresses, address)
		a.balances = append(a.balances, balance)
		if len(a.addresses)%repeatsEvery == 0 {
			twice.lists <- a.addresses
		}
	}
	if repeat := twice.end(a.addresses); repeat >= 0 { // each line is one, so it comes before what can't be read
		return nil, repeat + 1, withHint(fmt.Errorf("account %s is here a second time", codec.FormatAddress(&a.addresses[repeat])),
			"was the file appended to twice?")
	}
	if err == nil {
		err = lines.Err()
	}
	if errors.Is(err, bufio.ErrTooLong) {
		err = errAccountLine
	}
	return a, len(a.addresses) + 1, err
}

var errAccountLine = withHint(errors.New("expected ADDRESS:BALANCE"),
	"each line is what 'client create_accounts' prints: 44 characters of base64, a colon, a whole number")

func parseInitialAccount(line []byte) (address codec.Address, balance codec.Balance, err error) {
	if len(line) < codec.AddressTextSize+2 || line[codec.AddressTextSize] != ':' {
		return address, balance, errAccountLine
	}
	if address, err = codec.ParseAddress(string(line[:codec.AddressTextSize])); err != nil {
		return address, balance, err
	}
	text := string(line[codec.AddressTextSize+1:])
	if amount, err := strconv.ParseUint(text, 10, 64); err == nil {
		return address, codec.NewBalance(amount), nil
	}
	if balance, err = codec.ParseBalance(text); err != nil {
		return address, balance, err
	}
	if balance.Less(codec.Balance{}) {
		return address, balance, fmt.Errorf("balance %s is negative", balance)
	}
	return address, balance, nil
}
