package journal

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Identity says whose journal it is: names and values, in the caller's words, for example the authority's key and the
// hash of its initial accounts. Each segment has it in its header.
type Identity []Field

// Field is one line of an identity. Its name is there once.
type Field struct{ Name, Value string }

// append appends each field as two texts with their length before them, u16.
func (id Identity) append(dst []byte) []byte {
	for _, f := range id {
		for _, text := range [2]string{f.Name, f.Value} {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(len(text)))
			dst = append(dst, text...)
		}
	}
	return dst
}

// putIdentity writes the identity into a header, its length before it, u32.
func putIdentity(b []byte, id Identity) {
	text := id.append(nil)
	binary.LittleEndian.PutUint32(b, uint32(len(text)))
	copy(b[4:], text)
}

// takeIdentity is the inverse of putIdentity.
func takeIdentity(b []byte) (id Identity, ok bool) {
	n := binary.LittleEndian.Uint32(b)
	if n > maxIdentityBytes {
		return nil, false
	}
	return parseIdentity(b[4:][:n])
}

// encodedSize is the length of what append appends.
func (id Identity) encodedSize() (n int) {
	for _, f := range id {
		n += 4 + len(f.Name) + len(f.Value)
	}
	return n
}

// parseIdentity is the inverse of append. No name occurs twice.
func parseIdentity(b []byte) (id Identity, ok bool) {
	for len(b) > 0 {
		var text [2]string
		for i := range text {
			if len(b) < 2 {
				return nil, false
			}
			n := int(binary.LittleEndian.Uint16(b))
			if len(b) < 2+n {
				return nil, false
			}
			text[i], b = string(b[2:2+n]), b[2+n:]
		}
		if slices.ContainsFunc(id, func(f Field) bool { return f.Name == text[0] }) {
			return nil, false
		}
		id = append(id, Field{text[0], text[1]})
	}
	return id, true
}

// difference is nil if id, which the journal says, is want in any order; else an error that names every difference.
func (id Identity) difference(want Identity) error {
	var lines []string
	values := make(map[string]string, len(id))
	for _, f := range id {
		values[f.Name] = f.Value
	}
	for _, f := range want {
		have, ok := values[f.Name]
		delete(values, f.Name)
		switch {
		case !ok:
			lines = append(lines, fmt.Sprintf("%s is not in the journal, here %s", f.Name, f.Value))
		case have != f.Value:
			lines = append(lines, fmt.Sprintf("%s is %s in the journal, here %s", f.Name, have, f.Value))
		}
	}
	for _, f := range id {
		if _, left := values[f.Name]; left {
			lines = append(lines, fmt.Sprintf("%s is %s in the journal, not given here", f.Name, f.Value))
		}
	}
	if lines == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrIdentity, strings.Join(lines, "; "))
}
