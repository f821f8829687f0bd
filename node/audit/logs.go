package audit

import (
	"fmt"

	"fastpay/node/authority"
)

// accountLog is one of the two logs of certificates that an account has: those that it confirmed, and those that it
// received. Each record in it links back to the one before it, to the last one whose number is a multiple of nearStep, and
// of farStep, so that readers find any of them. The books know from the records themselves where these are.
type accountLog struct {
	length uint64
	links  authority.Links
}

// The numbers of records that others link to, counted from 1.
const (
	nearStep = 32
	farStep  = 1024
)

// add takes in the record at a position, with the links that are in it, and says what is wrong with these.
func (l *accountLog) add(at authority.Position, links authority.Links) (problem string) {
	if links != l.links {
		problem = fmt.Sprintf("record %d of it links to %v, expected %v", l.length+1, links, l.links)
	}
	l.length++
	l.links.Tail = at
	if l.length%nearStep == 0 {
		l.links.Near = at
	}
	if l.length%farStep == 0 {
		l.links.Far = at
	}
	return problem
}

func (l *accountLog) String() string { return fmt.Sprintf("%d records, at %v", l.length, l.links) }
