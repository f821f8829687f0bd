package audit

import (
	"errors"
	"math/big"
	"strings"

	"fastpay/node/journal"
)

// Report is what was found below a directory.
type Report struct {
	Journals []*Journal `json:"journals"`
	// Pairs are the credits from one shard to another of the same authority, as far as Verify looked at both.
	Pairs []*Pair `json:"credits,omitempty"`
	// Totals are what authorities have altogether, as far as Verify has seen all of them.
	Totals []*Total `json:"totals,omitempty"`
	// Problems are those between journals.
	Problems []Problem `json:"problems,omitempty"`
}

// OK reports whether nothing is wrong. What a crash leaves, or a process that runs, is not wrong.
func (r *Report) OK() bool {
	for _, j := range r.Journals {
		if !j.OK() {
			return false
		}
	}
	return len(r.Problems) == 0
}

// Journal is what was found in one journal.
type Journal struct {
	Path      string `json:"path"`
	ID        string `json:"id"`
	Authority string `json:"authority"` // as addresses are written
	Shards    []int  `json:"shards"`
	NumShards int    `json:"num_shards"`
	Committee string `json:"committee"`        // how many members, and a hash
	Accounts  string `json:"initial_accounts"` // the same
	// Process is the one that has the journal open, 0 for none. Then the end may be moving.
	Process int `json:"process,omitempty"`
	// Marks are files that say something by being there.
	Marks []string `json:"marks,omitempty"`

	Segments  []Segment  `json:"segments"`
	Snapshots []Snapshot `json:"snapshots"` // newest first
	// LastGroup is the number of the last group; Groups, Records and Bytes (padding included) are those that are kept.
	LastGroup uint64        `json:"last_group"`
	Groups    uint64        `json:"groups"`
	Records   uint64        `json:"records"`
	Bytes     int64         `json:"bytes"`
	ByShard   []ShardCounts `json:"records_by_shard"`
	End       End           `json:"end"`
	// EndAt is the position of the last record, or where a torn group begins; see End.
	EndAt  string   `json:"end_at,omitempty"`
	Damage []Damage `json:"damage,omitempty"`
	Books  *Books   `json:"verified,omitempty"` // of Verify
}

// OK reports whether nothing is wrong with the journal.
func (j *Journal) OK() bool {
	return len(j.Damage) == 0 && (j.Books == nil || len(j.Books.Problems) == 0)
}

// End says how a journal ends.
type End string

// How a journal ends.
const (
	EndClean  End = "clean"  // closed in good order
	EndOpen   End = "open"   // after a whole group: a process runs, or a crash came between two commits
	EndTorn   End = "torn"   // a crash left part of a group, which was never durable
	EndMoving End = "moving" // a process runs, and went on while the journal was read
	EndDamage End = "damage" // what comes after the damage was not read
	EndNone   End = "none"   // there is no group
)

// Segment is a segment file and the records in it.
type Segment struct {
	Number     uint32 `json:"number"`
	Bytes      int64  `json:"bytes"`
	Records    uint64 `json:"records"`
	FirstGroup uint64 `json:"first_group,omitempty"` // that has records
	LastGroup  uint64 `json:"last_group,omitempty"`
	First      string `json:"first,omitempty"` // positions of records
	Last       string `json:"last,omitempty"`
	// Leftover: a later one is missing, since its removal was cut off. Nothing needs it.
	Leftover bool `json:"leftover,omitempty"`
}

// Snapshot is a snapshot file.
type Snapshot struct {
	Segment  uint32 `json:"segment"` // the first one whose records are not in it
	Group    uint64 `json:"group"`   // the last one that is in it
	Bytes    int64  `json:"bytes"`
	Accounts uint64 `json:"accounts"`
	Whole    bool   `json:"whole"`
}

// ShardCounts are the records of one shard.
type ShardCounts struct {
	Shard        int    `json:"shard"`
	Orders       uint64 `json:"orders"`
	Settlements  uint64 `json:"settlements"`
	Credits      uint64 `json:"credits"`
	Primary      uint64 `json:"primary"`
	Funded       uint64 `json:"funded"`
	Acknowledged uint64 `json:"acknowledged"`
	Started      uint64 `json:"started"`
	Lists        uint64 `json:"lists"` // of funded accounts
	Unknown      uint64 `json:"unknown,omitempty"`
}

// Damage is bytes that are not what was written, or are not there.
type Damage struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Reason string `json:"reason"`
	Advice string `json:"advice"`
}

// Problem is something that bytes which are whole say, and that can't be right.
type Problem struct {
	Position string `json:"position,omitempty"` // segment:offset of the record
	Shard    int    `json:"shard"`
	Text     string `json:"text"`
}

// Books are what Verify recomputed.
type Books struct {
	// From says where the books begin: a snapshot or the initial accounts.
	From string `json:"from"`
	// Compared are the segments of the snapshots that were the same as the books.
	Compared     []uint32 `json:"compared_snapshots"`
	Orders       uint64   `json:"orders"`          // whose signatures were checked, those in certificates included
	Certificates uint64   `json:"certificates"`    // whose votes were checked
	Votes        uint64   `json:"votes"`           // that were checked
	Unchecked    uint64   `json:"votes_unchecked"` // because no committee was given
	Accounts     int      `json:"accounts"`
	Pending      int      `json:"pending_orders"`
	Balance      string   `json:"balance"`   // of all accounts together, at the end
	InFlight     uint64   `json:"in_flight"` // credits to shards of this journal that had not arrived at the end
	// Problems are at most maxProblems; More is how many others there are.
	Problems []Problem `json:"problems,omitempty"`
	More     uint64    `json:"more_problems,omitempty"`

	lanes                     []lane
	whole                     bool // they begin with the initial accounts
	balance, inFlight, minted *big.Int
}

// maxProblems bounds what is told of one journal: what comes after the first ones mostly follows from them.
const maxProblems = 20

// adviceDamage begins what to do about damage; for segments and snapshots the journal's own words are given.
const adviceRead = "the file can't be read: look at the disk, and at the rights of the file"

// damageOf describes an error of reading.
func damageOf(file string, err error) Damage {
	if corrupt, ok := errors.AsType[*journal.CorruptError](err); ok {
		text := corrupt.Error()
		_, advice, _ := strings.Cut(text, corrupt.Reason+". ")
		return Damage{corrupt.File, corrupt.Offset, corrupt.Reason, advice}
	}
	return Damage{File: file, Reason: err.Error(), Advice: adviceRead}
}
