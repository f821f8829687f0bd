package audit

import (
	"cmp"
	"context"
	"slices"
)

// Audit examines all journals below a directory, and with o.Verify compares them with one another.
func Audit(ctx context.Context, path string, o Options) (*Report, error) {
	folders, err := Find(path)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	for _, folder := range folders {
		j, err := Examine(ctx, folder, o)
		if err != nil {
			return nil, err
		}
		r.Journals = append(r.Journals, j)
	}
	if o.Verify {
		r.pair()
		r.total()
		slices.SortFunc(r.Problems, func(a, b Problem) int { return cmp.Compare(a.Text, b.Text) })
	}
	return r, nil
}
