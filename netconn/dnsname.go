package netconn

import "strings"

// names returns the full names to ask for, in order: with NDots dots the name as
// it is comes first, else last; a final dot means that it is full already.
func (r *DNS) names(host string) []string {
	if !isName(host) || strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".onion") {
		return nil // RFC 7686: onion names are not for the DNS
	}
	if strings.HasSuffix(host, ".") {
		return []string{host}
	}
	var list []string
	add := func(name string) {
		if isName(name) {
			list = append(list, name)
		}
	}
	dots := max(r.NDots, 1)
	if strings.Count(host, ".") >= dots {
		add(host + ".")
	}
	for _, domain := range r.Search {
		add(host + "." + strings.Trim(domain, ".") + ".")
	}
	if strings.Count(host, ".") < dots {
		add(host + ".")
	}
	return list
}

// isName tells whether s can be a name: labels of 1 to 63 bytes, letters,
// digits, hyphens and underscores, 253 bytes in all, and not digits alone.
func isName(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	letters := false
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			switch {
			case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == '-':
				letters = true
			case c < '0' || c > '9':
				return false
			}
		}
	}
	return letters
}
