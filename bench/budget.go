package bench

import "strings"

// Budget is filled in from a profile.
type Budget struct{}

func (b *Budget) render(*strings.Builder) {}
