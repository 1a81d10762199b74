package tcp

import (
	"testing"

	"example.com/berth/internal/header"
)

// RFC 9293 3.10.7.2, in its order: RST, ACK, SYN, anything else.
//
// DEF-25.
func TestSegmentArrivesWhenListen(t *testing.T) {
	for flags, want := range map[string]Verdict{
		"S":     Open,
		"SP":    Open,
		"SU":    Open,
		"S.":    Reset,
		".":     Reset,
		"P.":    Reset,
		"F.":    Reset,
		"FPU.":  Reset,
		"R":     Ignore,
		"R.":    Ignore,
		"SR":    Ignore,
		"SR.":   Ignore,
		"SF":    Ignore, // Linux does the same, so as not to be fingerprinted
		"SFPU":  Ignore,
		"F":     Ignore, // nmap's FIN, NULL and Xmas scans learn nothing
		"-":     Ignore,
		"FPU":   Ignore,
		"P":     Ignore,
		"SFRPU": Ignore,
	} {
		seg := talk(t).parse(flags+" 0:0(0)", true)
		if got := ListenInput(&seg); got != want {
			t.Errorf("%s: %v, want %v", flags, got, want)
		}
	}
}

// RFC 9293 3.10.7.1: what answers a segment that has no connection.
//
// DEF-25.
func TestResetForSegmentWithoutConnection(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"S 5:5(0)", "R. 0 ack 6"},
		{"S 5:15(10)", "R. 0 ack 16"},
		{"SF 5:15(10)", "R. 0 ack 17"},
		{"- 5:15(10)", "R. 0 ack 15"},
		{". 5:5(0) ack 77", "R 77 ack 0"},
		{"F. 5:5(0) ack 77", "R 77 ack 0"},
		{"S. 5:5(0) ack 77", "R 77 ack 0"},
		{"R 5:5(0)", ""},
		{"R. 5:5(0) ack 77", ""},
	} {
		tc := talk(t)
		tc.iss, tc.irs = 0, 0
		seg := tc.parse(tt.in, true)
		var out Segment
		got := ""
		if ResetFor(&seg, &out) {
			flags := "R"
			if out.has(header.ACK) {
				flags = "R."
			}
			got = flags + " " + itoa(out.Seq) + " ack " + itoa(out.Ack)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.in, got, tt.want)
		}
	}
}
