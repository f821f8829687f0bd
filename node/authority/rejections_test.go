package authority

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// rejections has a request for every place in this package and in node/committee that refuses something, by the function
// and the rejection. Shard 0 of 2 has account from with 100 and account to with nothing; a rejection changes nothing.
var rejections = map[string]func(d *driver, from, to, elsewhere byte) answer{
	"checkShard WrongShard": func(d *driver, _, to, elsewhere byte) answer {
		return d.one(0, orderMessage(newOrder(elsewhere, toFastPay(to), 1, 0)))
	},
	"Precheck UnexpectedMessage": func(d *driver, from, to, _ byte) answer {
		return d.one(0, codec.AppendCrossShard(nil, certify(newOrder(from, toFastPay(to), 1, 0))))
	},
	"Order InvalidSequenceNumber": func(d *driver, from, to, _ byte) answer {
		return d.one(0, orderMessage(newOrder(from, toFastPay(to), 1, codec.MaxSequenceNumber+1)))
	},
	"Order IncorrectTransferAmount": func(d *driver, from, to, _ byte) answer {
		return d.one(0, orderMessage(newOrder(from, toFastPay(to), 0, 0)))
	},
	"Order UnknownSenderAccount": func(d *driver, _, to, _ byte) answer {
		return d.one(0, orderMessage(newOrder(owner(0, 2, 7), toFastPay(to), 1, 0)))
	},
	"refusePending PreviousTransferMustBeConfirmedFirst": func(d *driver, from, to, _ byte) answer {
		d.one(0, orderMessage(newOrder(from, toFastPay(to), 1, 0)))
		return d.one(0, orderMessage(newOrder(from, toFastPay(to), 2, 0)))
	},
	"Order UnexpectedSequenceNumber": func(d *driver, from, to, _ byte) answer {
		return d.one(0, orderMessage(newOrder(from, toFastPay(to), 1, 1)))
	},
	"Order InsufficientFunding": func(d *driver, from, to, _ byte) answer {
		return d.one(0, orderMessage(newOrder(from, toFastPay(to), 101, 0)))
	},
	"Certificate MissingEalierConfirmations": func(d *driver, from, to, _ byte) answer {
		return d.one(0, certMessage(certify(newOrder(from, toFastPay(to), 1, 1))))
	},
	"Certificate BalanceUnderflow": func(d *driver, from, to, _ byte) answer {
		a := testKey(from)
		d.shards[0].table.find(&a).balance = codec.MinBalance
		return d.one(0, certMessage(certify(newOrder(from, toFastPay(to), 1, 0))))
	},
	"Certificate SequenceOverflow": func(d *driver, from, to, _ byte) answer {
		a := testKey(from)
		d.shards[0].table.find(&a).next = math.MaxUint64
		return d.one(0, certMessage(certify(newOrder(from, toFastPay(to), 1, math.MaxUint64))))
	},
	"Info UnknownSenderAccount": func(d *driver, _, _, _ byte) answer { return d.one(0, infoMessage(owner(0, 2, 7), nil)) },
	"Info CertificateNotfound": func(d *driver, from, _, _ byte) answer {
		return d.one(0, infoMessage(from, func(q *codec.InfoRequest) { q.HasSequence = true }))
	},
	"Finish CertificateNotfound": func(d *driver, from, to, _ byte) answer {
		d.one(0, certMessage(certify(newOrder(from, toFastPay(to), 1, 0))))
		read := d.reader.read
		defer func() { d.reader.read = read }()
		d.reader.read = func(Position) ([]byte, error) { return nil, ErrGone }
		return d.one(0, infoMessage(from, func(q *codec.InfoRequest) { q.HasSequence = true }))
	},
	"SyncPrimary UnexpectedTransactionIndex": func(d *driver, _, to, _ byte) answer {
		a := testKey(to)
		out := d.shards[0].SyncPrimary(nil, &a, 1, 2)
		return answer{err: errorOf(out.Reply), creditTo: -1, out: out}
	},
	"CheckShape UnknownSigner": func(d *driver, from, to, _ byte) answer {
		return d.one(0, certMessage(certify(newOrder(from, toFastPay(to), 1, 0), 0, 1, 2, 9)))
	},
	"CheckShape CertificateAuthorityReuse": func(d *driver, from, to, _ byte) answer {
		return d.one(0, certMessage(certify(newOrder(from, toFastPay(to), 1, 0), 0, 1, 2, 1)))
	},
	"CheckShape CertificateRequiresQuorum": func(d *driver, from, to, _ byte) answer {
		return d.one(0, certMessage(certify(newOrder(from, toFastPay(to), 1, 0), 0, 1)))
	},
	"CheckCertificate InvalidSignature": func(d *driver, from, to, _ byte) answer {
		return refusedBy(realCommittee.CheckCertificate(certifyBy(real{}, realOrder(from, to), 0, 1, 2)),
			realCommittee.CheckCertificate(certifyBy(mixed{}, realOrder(from, to), 0, 1, 2)))
	},
	"CheckOrder InvalidSignature": func(d *driver, from, to, _ byte) answer {
		good, err := realCommittee.CheckOrder(realOrder(from, to)), realCommittee.CheckOrder(newOrder(from, toFastPay(to), 1, 0))
		return refusedBy(good, err)
	},
	"CheckVote UnknownSigner": func(d *driver, from, to, _ byte) answer {
		_, good := realCommittee.CheckVote(realVote(from, to, 1, 1))
		_, err := realCommittee.CheckVote(realVote(from, to, 9, 9))
		return refusedBy(good, err)
	},
	"CheckVote InvalidSignature": func(d *driver, from, to, _ byte) answer {
		_, good := realCommittee.CheckVote(realVote(from, to, 1, 1))
		_, err := realCommittee.CheckVote(realVote(from, to, 1, 2))
		return refusedBy(good, err)
	},
	"Append InvalidSignature": func(d *driver, from, to, _ byte) answer { return aggregated(from, to, 1, 2) },
	"Append CertificateAuthorityReuse": func(d *driver, from, to, _ byte) answer {
		return aggregated(from, to, 1, 1, 1, 1)
	},
	"outsider UnknownSigner":             func(d *driver, from, to, _ byte) answer { return aggregated(from, to, 9, 9) },
	"outsider CertificateAuthorityReuse": func(d *driver, from, to, _ byte) answer { return aggregated(from, to, 9, 9, 9, 9) },
}

// real signs with the keys that testKeys are the public halves of.
type real struct{ cheap }

func (real) sign(seed byte, message []byte) (sig crypto.Signature) {
	crypto.NewPrivateKey(&[32]byte{seed, 1}).Sign(&sig, message)
	return sig
}

// mixed signs as real does, but for member 1.
type mixed struct{ real }

func (m mixed) sign(seed byte, message []byte) crypto.Signature {
	if seed == 1 {
		return testSignature
	}
	return m.real.sign(seed, message)
}

var realCommittee = worldCommittee

func realOrder(from, to byte) codec.Order {
	return signOrderBy(real{}, from, codec.Transfer{Recipient: toFastPay(to), Amount: 1})
}

// realVote is the vote of a member, signed by another one, perhaps.
func realVote(from, to, member, signer byte) codec.Vote {
	o, name := realOrder(from, to), testKey(member)
	sig := real{}.sign(signer, o.AppendSignedBytes(nil))
	return codec.NewVote(o, &name, &sig)
}

// refusedBy is the answer of a check that refused something, and took what is good.
func refusedBy(good, err *codec.Error) answer {
	if good != nil {
		return answer{err: good, creditTo: 0}
	}
	return answer{err: err, creditTo: -1, out: Outcome{VoteAt: -1}}
}

// aggregated gives votes to an aggregator, pairs of a member and who signs for it, and is what it says to the last one.
func aggregated(from, to byte, votes ...byte) answer {
	a, err := committee.NewAggregator(realCommittee, realOrder(from, to))
	for ; err == nil && len(votes) > 0; votes = votes[2:] {
		v := realVote(from, to, votes[0], votes[1])
		if _, err = a.Append(v.Authority(), v.Signature()); len(votes) > 2 {
			err = nil
		}
	}
	return answer{err: err, creditTo: -1, out: Outcome{VoteAt: -1}}
}

func TestRejections(t *testing.T) {
	from, to, elsewhere := owner(0, 2, 0), owner(0, 2, 1), owner(1, 2, 0)
	for name, f := range rejections {
		t.Run(name, func(t *testing.T) {
			d := newTestDriver(t, 2)
			d.fund(t, testKey(from), codec.NewBalance(100))
			d.fund(t, testKey(to), codec.NewBalance(0))
			_, want, _ := strings.Cut(name, " ")
			a := f(d, from, to, elsewhere)
			if a.err == nil || a.err.Code.String() != want || a.out.Accepted || a.out.Changed || a.creditTo >= 0 || a.out.VoteAt >= 0 {
				t.Errorf("answer %v %+v, expected %s", a.err, a.out, want)
			}
			wantUnchanged(t, d, func() { // a second time, all that came before it is a repeat
				if again := f(d, from, to, elsewhere); again.err == nil || again.err.Code.String() != want {
					t.Errorf("the second time %v, expected %s", again.err, want)
				}
			})
		})
	}
}

// TestRejectionsAreAllOfThem reads the source of both packages: whatever function names a rejection has a place in
// rejections, and nothing else does.
func TestRejectionsAreAllOfThem(t *testing.T) {
	found := map[string]bool{}
	codes := map[string]string{} // by the variable that holds the rejection
	var trees []*ast.File
	for _, dir := range []string{".", "../committee"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			trees = append(trees, tree)
		}
	}
	names := map[string]bool{}
	for c := codec.InvalidSignature; c <= codec.ClientIoError; c++ {
		names[c.String()] = true
	}
	each := func(n ast.Node, f func(code string)) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "codec" && names[n.Sel.Name] {
					f(n.Sel.Name)
				}
			case *ast.Ident:
				if code, ok := codes[n.Name]; ok {
					f(code)
				}
			}
			return true
		})
	}
	for _, tree := range trees {
		for _, d := range tree.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, s := range g.Specs {
					v := s.(*ast.ValueSpec)
					for i, value := range v.Values {
						each(value, func(code string) { codes[v.Names[i].Name] = code })
					}
				}
			}
		}
	}
	for _, tree := range trees {
		for _, d := range tree.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				each(f, func(code string) { found[f.Name.Name+" "+code] = true })
			}
		}
	}
	if len(codes) < 10 || len(found) < 20 {
		t.Fatalf("%d variables, %d rejections found: the source has another form", len(codes), len(found))
	}
	for name := range found {
		if rejections[name] == nil {
			t.Errorf("no test has %q", name)
		}
	}
	for name := range rejections {
		if !found[name] {
			t.Errorf("%q is not in the source", name)
		}
	}
}
