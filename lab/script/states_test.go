package script_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/states anew")

// TestStates holds testdata/states to the rules below: RFC 9293 3.10.7, with RFC
// 5961, as what each state answers to each kind of segment, at each place of the
// window. The scripts are files so that they can be read, and run one by one; that
// they pass is for TestScripts to say, and in package peers for Linux.
func TestStates(t *testing.T) {
	const dir = "testdata/states"
	want := matrix()
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			file := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	found := 0
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		found++
		name, _ := filepath.Rel(dir, file)
		text, err := os.ReadFile(file)
		if string(text) != want[filepath.ToSlash(name)] {
			t.Errorf("%s differs from what the rules give: run with -update and look at the difference", name)
		}
		return err
	})
	if err != nil || found != len(want) {
		t.Errorf("%d files, want %d: %v", found, len(want), err)
	}
}

// The receive window of all hosts of the matrix: TCP_WINDOW_CLAMP, two segments.
const (
	window = 2920
	edge   = 1 + window   // the right one, which is Linux's last number and berth's
	mss    = "<mss 1000>" // no option that would appear in answers
	peer   = " win 32792" // the peer's window
)

// A tcpState is one of the states with a window, and how to come into it.
type tcpState struct {
	name string
	// enter follows on a handshake; accepted as descriptor 4.
	enter []string
	// next, una and nxt are RCV.NXT, SND.UNA and SND.NXT.
	next, una, nxt int
	info           string // tcpi_state
	// text: data and FIN of the peer still count.
	text bool
	// alive are the lines that only a connection in this state passes, and that
	// show that nothing else was sent; their sequence numbers are in its place.
	alive func(s *tcpState) []string
}

var withWindow = []*tcpState{
	{name: "syn-received", next: 1, una: 0, nxt: 1, text: true, alive: handshakeGoesOn},
	{name: "established", next: 1, una: 1, nxt: 1, info: "TCP_ESTABLISHED", text: true, alive: writeGoesOut},
	{name: "fin-wait-1", next: 1, una: 1, nxt: 2, info: "TCP_FIN_WAIT1", text: true, alive: finComesAgain, enter: []string{
		"+0  shutdown(4, SHUT_WR) = 0", "+0  > F. 1:1(0) ack 1",
	}},
	{name: "fin-wait-2", next: 1, una: 2, nxt: 2, info: "TCP_FIN_WAIT2", text: true, alive: oldIsAnswered, enter: []string{
		"+0  shutdown(4, SHUT_WR) = 0", "+0  > F. 1:1(0) ack 1", "+.1 < . 1:1(0) ack 2" + peer,
	}},
	{name: "close-wait", next: 2, una: 1, nxt: 1, info: "TCP_CLOSE_WAIT", alive: writeGoesOut, enter: []string{
		"+0  < F. 1:1(0) ack 1" + peer, "+0  > . 1:1(0) ack 2",
	}},
	{name: "closing", next: 2, una: 1, nxt: 2, info: "TCP_CLOSING", alive: finComesAgain, enter: []string{
		"+0  shutdown(4, SHUT_WR) = 0", "+0  > F. 1:1(0) ack 1", "+0  < F. 1:1(0) ack 1" + peer, "+0  > . 2:2(0) ack 2",
	}},
	{name: "last-ack", next: 2, una: 1, nxt: 2, info: "TCP_LAST_ACK", alive: finComesAgain, enter: []string{
		"+0  < F. 1:1(0) ack 1" + peer, "+0  > . 1:1(0) ack 2", "+0  shutdown(4, SHUT_WR) = 0", "+0  > F. 1:1(0) ack 2",
	}},
	{name: "time-wait", next: 2, una: 2, nxt: 2, alive: oldIsAnswered, enter: []string{
		"+0  close(3) = 0", "+0  close(4) = 0", "+0  > F. 1:1(0) ack 1", "+.1 < F. 1:1(0) ack 2" + peer, "+0  > . 2:2(0) ack 2",
	}},
}

// listening opens a port with the window of the matrix.
var listening = []string{
	"0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
	fmt.Sprintf("+0  setsockopt(3, SOL_TCP, TCP_WINDOW_CLAMP, [%d], 4) = 0", window),
	"+0  bind(3, ..., ...) = 0",
	"+0  listen(3, 1) = 0",
}

// begin are the lines that lead to a state.
func (s *tcpState) begin() []string {
	lines := append(listening[:len(listening):len(listening)],
		"+0  < S 0:0(0)"+peer+" "+mss,
		fmt.Sprintf("+0  > S. 0:0(0) ack 1 win %d <mss 1460>", window))
	if s.name == "syn-received" {
		return lines
	}
	lines = append(lines, "+.1 < . 1:1(0) ack 1"+peer, "+0  accept(3, ..., ...) = 4")
	return append(lines, s.enter...)
}

func handshakeGoesOn(*tcpState) []string {
	return []string{"+.1 < . 1:1(0) ack 1" + peer, "+0  accept(3, ..., ...) = 4"}
}

func writeGoesOut(s *tcpState) []string {
	return []string{"+0  write(4, ..., 100) = 100", fmt.Sprintf("+0  > P. %d:%d(100) ack %d", s.nxt, s.nxt+100, s.next)}
}

// finComesAgain waits for the retransmission of the FIN, which is 200 to 600 ms
// after the first.
func finComesAgain(s *tcpState) []string {
	return []string{fmt.Sprintf("+0~+.7 > F. %d:%d(0) ack %d", s.una, s.una, s.next)}
}

// oldIsAnswered asks with a segment in front of the window, long enough after
// another for rate limits (RFC 5961 7).
func oldIsAnswered(s *tcpState) []string {
	return []string{
		fmt.Sprintf("+1  < . %d:%d(0) ack %d%s", s.next-1, s.next-1, s.nxt, peer), "+0  " + s.acknowledge(s.next),
	}
}

// acknowledge is the host's bare acknowledgment.
func (s *tcpState) acknowledge(next int) string {
	if s.name == "syn-received" {
		return fmt.Sprintf("> . 1:1(0) ack %d", next)
	}
	return fmt.Sprintf("> . %d:%d(0) ack %d", s.nxt, s.nxt, next)
}

// A place is one in front of, in, or behind a receive window.
type place struct {
	name string
	seq  func(s *tcpState) int
	in   bool
}

var places = []place{
	{"before", func(s *tcpState) int { return s.next - 1 }, false},
	{"next", func(s *tcpState) int { return s.next }, true},
	{"inside", func(s *tcpState) int { return s.next + 100 }, true},
	{"last", func(*tcpState) int { return edge - 1 }, true},
	{"edge", func(*tcpState) int { return edge }, false},
	{"beyond", func(*tcpState) int { return edge + 2 }, false}, // edge + 1 is the edge on Linux behind a FIN
	{"far", func(*tcpState) int { return edge + 100000 }, false},
}

// A kindOfSegment is what comes in: with an acceptable acknowledgment, but where
// it says otherwise.
type kindOfSegment struct {
	name, flags string
	length      int
	urgent      bool
	ack         func(s *tcpState) int
	only        string // the one place where it is tried; empty: all
}

var kinds = []kindOfSegment{
	{name: "syn", flags: "S"},
	{name: "syn-ack", flags: "S.", only: "next"},
	{name: "rst", flags: "R"},
	{name: "rst-ack", flags: "R.", only: "next"},
	{name: "ack", flags: "."},
	{name: "ack-of-nothing-sent", flags: ".", only: "next", ack: func(s *tcpState) int { return s.nxt + 1000 }},
	{name: "ack-from-long-ago", flags: ".", only: "next", ack: func(s *tcpState) int { return s.una - 100000 }},
	{name: "fin", flags: "F."},
	{name: "fin-without-ack", flags: "F", only: "next"},
	{name: "data", flags: "P.", length: 10},
	{name: "data-without-ack", flags: "P", length: 10, only: "next"},
	{name: "urg", flags: "PU.", length: 10, urgent: true},
	{name: "no-flags", flags: "-", only: "next"},
}

// segment writes a kind at a place for a state.
func (k *kindOfSegment) segment(s *tcpState, p place) string {
	seq, n := p.seq(s), k.lengthAt(p)
	text := fmt.Sprintf("< %s %d:%d(%d)", k.flags, uint32(seq), uint32(seq+n), n)
	if strings.Contains(k.flags, ".") {
		ack := s.una
		if s.name == "syn-received" {
			ack = 1
		}
		if k.ack != nil {
			ack = k.ack(s)
		}
		text += fmt.Sprintf(" ack %d", uint32(ack))
	}
	text += peer
	if k.urgent {
		text += " urg 1"
	}
	return text
}

// lengthAt lets data be whole in front of the window, and at its end.
func (k *kindOfSegment) lengthAt(p place) int {
	if k.length > 0 && (p.name == "before" || p.name == "last") {
		return 1
	}
	return k.length
}

// A verdict is what becomes of a segment.
type verdict struct {
	answer string // empty: none
	rule   string
	// closed: the connection is gone. now is another state that it has come to.
	closed bool
	now    *tcpState
}

// judge has the rules of RFC 9293 3.10.7.4 in their order.
func judge(s *tcpState, k *kindOfSegment, p place) verdict {
	challenge := "+0  " + s.acknowledge(s.next)
	has := func(f string) bool { return strings.Contains(k.flags, f) }
	if p.name == "edge" && s.name != "syn-received" && s.name != "time-wait" {
		p.in = s.text || k.length == 0 // what a peer says that has used the window counts, as on Linux
	}
	switch {
	case has("R") && s.name == "time-wait":
		return verdict{rule: "a reset does not end TIME-WAIT (RFC 1337)"}
	case has("R") && !p.in:
		return verdict{rule: "a reset outside the window is dropped (first step)"}
	case has("R") && p.name == "next":
		return verdict{rule: "a reset at RCV.NXT ends the connection (second step)", closed: true}
	case has("R"):
		return verdict{answer: challenge, rule: "another reset in the window is challenged (RFC 5961 3.2)"}
	case has("S") && s.name == "syn-received" && !p.in && k.name == "syn" && p.name == "before":
		return verdict{answer: "+0  > S. 0:0(0) ack 1 <mss 1460>", rule: "the SYN again is answered again"}
	case has("S"):
		return verdict{answer: challenge, rule: "a SYN is challenged, wherever it is (RFC 5961 4.2)"}
	case !p.in:
		return verdict{answer: challenge, rule: "what is not acceptable is answered with an acknowledgment (first step)"}
	case !has("."):
		return verdict{rule: "what has no ACK is dropped (fifth step)"}
	case k.name == "ack-of-nothing-sent" && s.name == "syn-received", k.name == "ack-from-long-ago" && s.name == "syn-received":
		return verdict{answer: fmt.Sprintf("+0  > R %[1]d:%[1]d(0)", uint32(k.ack(s))), rule: "what acknowledges something else than the SYN is answered with a reset (fifth step)"}
	case k.ack != nil:
		return verdict{answer: challenge, rule: "an acknowledgment of what cannot be meant is challenged (fifth step, RFC 5961 5.2)"}
	case k.name == "ack" && s.name == "syn-received":
		return verdict{rule: "the handshake is over (fifth step)", now: withWindow[1]}
	case k.name == "ack":
		return verdict{rule: "an acknowledgment that tells nothing new"}
	case s.name == "time-wait":
		return verdict{answer: challenge, rule: "what comes in TIME-WAIT is acknowledged (3.10.7.4, eighth step)"}
	case !s.text:
		return verdict{rule: "behind the peer's FIN there is nothing more (seventh step)"}
	case p.name != "next":
		return verdict{answer: "+0  " + s.acknowledge(s.next), rule: "what is out of order is acknowledged at once (RFC 5681 4.2)", now: s.afterAck()}
	case k.length > 0:
		return verdict{answer: "+0  " + s.acknowledge(s.next+k.length), rule: "data is taken and acknowledged (seventh step)", now: s.moved(k.length)}
	}
	return verdict{answer: "+0  " + s.acknowledge(s.next+1), rule: "the FIN is taken and acknowledged (eighth step)", now: s.afterFIN()}
}

// afterAck is the state behind the acknowledgment that all carry.
func (s *tcpState) afterAck() *tcpState {
	if s.name == "syn-received" {
		return withWindow[1]
	}
	return nil
}

// moved is the state behind n bytes of data.
func (s *tcpState) moved(n int) *tcpState {
	now := *s
	if s.name == "syn-received" {
		now = *withWindow[1]
	}
	now.next += n
	return &now
}

// afterFIN is the state behind the peer's FIN.
func (s *tcpState) afterFIN() *tcpState {
	to := map[string]string{
		"syn-received": "close-wait", "established": "close-wait", "fin-wait-1": "closing", "fin-wait-2": "time-wait",
	}[s.name]
	for _, now := range withWindow {
		if now.name == to {
			now := *now
			now.info = "" // TIME-WAIT is not the socket's
			return &now
		}
	}
	return nil
}

// matrix are all scripts by their names.
func matrix() map[string]string {
	files := make(map[string]string)
	for _, s := range withWindow {
		for i := range kinds {
			k := &kinds[i]
			for _, p := range places {
				if k.only == "" || k.only == p.name {
					files[fmt.Sprintf("%s/%s-%s.pkt", s.name, k.name, p.name)] = s.script(k, p)
				}
			}
		}
	}
	for _, c := range withoutWindow {
		files[c.state+"/"+c.name+".pkt"] = c.script()
	}
	return files
}

// script writes one.
func (s *tcpState) script(k *kindOfSegment, p place) string {
	v := judge(s, k, p)
	lines := append([]string{fmt.Sprintf("// %s: %s.", strings.ToUpper(s.name), v.rule)}, s.begin()...)
	lines = append(lines, "", "+.01 "+k.segment(s, p))
	if v.answer != "" {
		lines = append(lines, v.answer)
	}
	now := s
	if v.now != nil {
		now = v.now
	}
	switch {
	case v.closed && s.name == "syn-received":
		lines = append(lines, "+.1 < . 1:1(0) ack 1"+peer, "+0  > R 1:1(0)")
	case v.closed:
		lines = append(lines, "+0  %{ assert tcpi_state == TCP_CLOSE }%",
			fmt.Sprintf("+.1 < . %[1]d:%[1]d(0) ack %[2]d%[3]s", s.next, s.nxt, peer), fmt.Sprintf("+0  > R %[1]d:%[1]d(0)", s.nxt))
	default:
		if v.now != nil && s.name == "syn-received" {
			lines = append(lines, "+0  accept(3, ..., ...) = 4")
		}
		if now.info != "" {
			lines = append(lines, "+0  %{ assert tcpi_state == "+now.info+" }%")
		}
		lines = append(lines, now.alive(now)...)
	}
	return strings.Join(lines, "\n") + "\n"
}
