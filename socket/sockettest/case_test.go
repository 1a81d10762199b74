package sockettest

import (
	"bytes"
	"strings"
	"testing"
)

func TestCasesHaveNamesAndRules(t *testing.T) {
	names := make(map[string]bool)
	for _, c := range Cases() {
		subject, what, ok := strings.Cut(c.Name, "/")
		if !ok || subject == "" || what == "" || strings.Contains(c.Name, " ") {
			t.Errorf("%q is not subject/what", c.Name)
		}
		if names[c.Name] {
			t.Errorf("two cases are called %s", c.Name)
		}
		names[c.Name] = true
		if c.Rule == "" || strings.HasSuffix(c.Rule, ".") {
			t.Errorf("%s: rule %q", c.Name, c.Rule)
		}
		if c.needs&(ipv4|ipv6) == 0 {
			t.Errorf("%s needs no address", c.Name)
		}
	}
}

// TestList prints the list of cases with -v.
func TestList(t *testing.T) {
	var b bytes.Buffer
	if err := List(&b); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Count(b.String(), "\n"), len(Cases()); got != want {
		t.Errorf("%d lines for %d cases", got, want)
	}
	t.Logf("%d cases:\n%s", len(Cases()), b.String())
}

func TestSubjectsStandTogether(t *testing.T) {
	last, seen := "", make(map[string]bool)
	for _, c := range Cases() {
		subject, _, _ := strings.Cut(c.Name, "/")
		if subject != last && seen[subject] {
			t.Errorf("%s stands apart from its subject", c.Name)
		}
		last, seen[subject] = subject, true
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	var none Env
	for _, tt := range []struct {
		needs need
		want  string
	}{
		{0, ""},
		{ipv4 | raw, "IPv4 addresses"},
		{link, "two hosts on a link"},
		{raw, "the privilege of raw sockets"},
		{ping, "the privilege of ping sockets"},
	} {
		if got := tt.needs.missing(&none); got != tt.want {
			t.Errorf("needs %b: %q, want %q", tt.needs, got, tt.want)
		}
	}
}

func TestChecksumOfAKnownPacket(t *testing.T) {
	// The example of RFC 1071 section 3.
	b := []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}
	if got := sum(b, 0); got != 0xddf2 {
		t.Errorf("sum %#x, want 0xddf2", got)
	}
	if got := checksum(append(b, 0x22, 0x0d)); got != 0 {
		t.Errorf("checksum of what has its own: %#x", got)
	}
}

func TestConflictIsTheRule(t *testing.T) {
	all := bindings()
	any4, lo4, any6, only6 := all[0], all[1], all[3], all[4]
	with := func(b binding, r reuse) binding { b.reuse = r; return b }
	for _, tt := range []struct {
		first, second binding
		listening     bool
		want          bool
	}{
		{any4, lo4, false, true},
		{any4, only6, false, false},
		{any6, lo4, false, true},
		{with(any4, reuse{addr: true}), with(lo4, reuse{addr: true}), false, false},
		{with(any4, reuse{addr: true}), with(lo4, reuse{addr: true}), true, true},
		{with(any4, reuse{port: true}), with(lo4, reuse{port: true}), true, false},
		{with(any4, reuse{addr: true}), with(lo4, reuse{port: true}), false, true},
	} {
		if got := conflict(tt.first, tt.second, tt.listening); got != tt.want {
			t.Errorf("%v beside %v, listening %v: %v", tt.second, tt.first, tt.listening, got)
		}
	}
}
