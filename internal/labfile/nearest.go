package labfile

import (
	"fmt"
	"strings"
)

// meant is the hint about a word that is none of those that there are.
func meant(word string, words []string) string {
	if near := nearest(word, words); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	const most = 24
	rest := ""
	if len(words) > most {
		words, rest = words[:most], ", ..."
	}
	if len(words) == 0 {
		return ""
	}
	return "there are " + strings.Join(words, ", ") + rest
}

// nearest finds the word that may be meant: the one with the fewest letters
// wrong, of which there may be one in three, but none in a word of two.
func nearest(word string, words []string) (near string) {
	const longest = 64 // what is longer is no slip
	if len(word) > longest {
		return ""
	}
	best := 1 // a name of two letters is near to nearly any other
	if len(word) > 2 {
		best = max(1, len(word)/3) + 1
	}
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < best && len(w) <= longest {
			best, near = d, w
		}
	}
	return near
}

// distance is how many insertions, deletions, replacements and exchanges of
// neighbors make b of a.
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
