package bench

import (
	"iter"
	"regexp"
	"slices"
	"strings"
)

// position is that of a word in a text: line and word, from 0.
type position struct{ line, word int }

// lines are those of text, without ends.
func lines(text string) []string { return strings.Split(text, "\n") }

func wordsOf(text string) iter.Seq2[position, string] {
	return func(yield func(position, string) bool) {
		for i, line := range lines(text) {
			for w, word := range strings.Fields(line) {
				if !yield(position{i, w}, word) {
					return
				}
			}
		}
	}
}

// kin says for the words of a which word of b they are, for two renderings of a text. A word that has none is another in b.
func kin(a, b string) map[position]position {
	same := make(map[position]position)
	la, lb := lines(a), lines(b)
	for _, pair := range pairedLines(la, lb) {
		for _, p := range sameWords(strings.Fields(la[pair[0]]), strings.Fields(lb[pair[1]])) {
			same[position{pair[0], p[0]}] = position{pair[1], p[1]}
		}
	}
	return same
}

// sameWords pairs the words of two lines: where they have as many, those that are the same at the same place.
func sameWords(a, b []string) (pairs [][2]int) {
	if len(a) != len(b) {
		return common(a, b)
	}
	for i := range a {
		if a[i] == b[i] {
			pairs = append(pairs, [2]int{i, i})
		}
	}
	return pairs
}

var digits = regexp.MustCompile(`[0-9][0-9.,]*`)

// pairedLines pairs the lines that are the same in a and b; between those the lines that are the same but for numbers; and
// between those, where as many are left on both sides, one with the other.
func pairedLines(a, b []string) [][2]int {
	shapes := func(all []string) (list []string) {
		for _, line := range all {
			list = append(list, digits.ReplaceAllString(line, "0"))
		}
		return list
	}
	pairs := common(a, b)
	pairs = refine(pairs, len(a), len(b), func(i, iEnd, j, jEnd int) [][2]int {
		return common(shapes(a[i:iEnd]), shapes(b[j:jEnd]))
	})
	return refine(pairs, len(a), len(b), func(i, iEnd, j, jEnd int) (all [][2]int) {
		for k := range iEnd - i {
			if iEnd-i == jEnd-j {
				all = append(all, [2]int{k, k})
			}
		}
		return all
	})
}

// refine adds what find pairs in each gap between pairs, whose ends are lenA and lenB.
func refine(pairs [][2]int, lenA, lenB int, find func(i, iEnd, j, jEnd int) [][2]int) (all [][2]int) {
	i, j := 0, 0
	for _, p := range append(slices.Clone(pairs), [2]int{lenA, lenB}) {
		if i < p[0] && j < p[1] {
			for _, q := range find(i, p[0], j, p[1]) {
				all = append(all, [2]int{i + q[0], j + q[1]})
			}
		}
		if p[0] < lenA {
			all = append(all, p)
		}
		i, j = p[0]+1, p[1]+1
	}
	return all
}

// common pairs the places of a longest common subsequence.
func common(a, b []string) (pairs [][2]int) {
	begin := 0
	for begin < len(a) && begin < len(b) && a[begin] == b[begin] {
		pairs = append(pairs, [2]int{begin, begin})
		begin++
	}
	a, b = a[begin:], b[begin:]
	end := 0 // as many are the same at the end
	for end < len(a) && end < len(b) && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	endA, endB := len(a)-end, len(b)-end
	for _, p := range commonWithin(a[:endA], b[:endB]) {
		pairs = append(pairs, [2]int{begin + p[0], begin + p[1]})
	}
	for k := range end {
		pairs = append(pairs, [2]int{begin + endA + k, begin + endB + k})
	}
	return pairs
}

// commonWithin is common for what neither begins nor ends alike.
func commonWithin(a, b []string) (pairs [][2]int) {
	longest := make([][]int, len(a)+1) // of what is left of a and b
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i, x := range slices.Backward(a) {
		for j, y := range slices.Backward(b) {
			if x == y {
				longest[i][j] = 1 + longest[i+1][j+1]
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case longest[i+1][j] >= longest[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}
