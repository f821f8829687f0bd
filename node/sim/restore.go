package sim

// Old copies of disks. A process that comes back with one has forgotten what it signed and settled since, and nothing in
// the copy itself says so: its member is faulty from then on, and one more than those that lie must be tolerated, as
// with flipped bits. Only siblings in processes of their own can tell, when they have more of its credits, or of their
// acknowledgements, than the copy; their links refuse it.

// backUp keeps a copy of the disk as it is after the first crash.
func (p *process) backUp() {
	w := p.w
	if p.member == w.plan.RestoreMember && p.correct && !w.healed && p.old == nil {
		p.old, p.oldEpoch = p.disk.fs.Crash(func() bool { return false }), p.epoch+1
	}
}

// restore puts the copy in the place of the disk, once, after a later crash.
func (p *process) restore() {
	w := p.w
	if p.old == nil || p.epoch == p.oldEpoch || !p.correct || w.healed || w.rng.IntN(2) == 0 {
		return
	}
	p.disk.fs, p.old, p.restored = p.old, nil, true
	w.count.Restored++
	w.retire(p.member)
}
