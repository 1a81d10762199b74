package report

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

func textOf(t *testing.T, r *Recording, o TextOptions) string {
	t.Helper()
	var b strings.Builder
	if err := WriteText(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const conversationText = `TestChain  seed 7  10ms  10 packets
✗ got 2, want 3
repeat: go test -run TestChain

alice → bob  1ms  6 packets, 1 lost
bob → alice  1ms  4 packets

      ms alice                                                                                   bob
     0.0 │──── SYN  seq 0  win 1000  mss 1460 wscale 7 sack ────────────────────────────────────────▶│
     1.0 │◀───────────────────────────── SYN ACK  seq 0  ack 1  win 1000  mss 1460 wscale 7 sack ────│
     2.0 ● log: connected                                                                            │
     2.0 │──── ACK  seq 1  ack 1  win 128000 ───────────────────────────────────────────────────────▶│
         ┊                              3ms  network: cut: alice-bob                               ┊
     3.0 │──── PSH ACK  seq 1  ack 1  len 18  win 128000  “GET / HTTP/1.1” ───────────✗ lost         │
     4.0 │──── PSH ACK  seq 19  ack 1  len 4  win 128000  “more”  [duplicated] ─────────────────────▶│
     5.0 │◀─────────────────────────────────────── ACK  seq 1  ack 1  win 128000  sack 19-23 ────────│
`

func TestTextOfTwoHosts(t *testing.T) {
	b := conversation()
	b.Failed, b.Repeat = []string{"got 2, want 3"}, "go test -run TestChain"
	got := textOf(t, &b.Recording, TextOptions{})
	// The column of the arrows' labels is internal/ladder's; what they say is ours.
	norm := func(s string) string { return strings.Join(strings.Fields(strings.ReplaceAll(s, "─", "")), " ") }
	for _, line := range strings.Split(strings.TrimSpace(conversationText), "\n") {
		if !strings.Contains(norm(got), norm(line)) {
			t.Errorf("the text lacks %q:\n%s", line, got)
		}
	}
	if !strings.Contains(got, "\nsockets of alice\ntcp ESTABLISHED\n") {
		t.Errorf("no table of sockets:\n%s", got)
	}
}

const lanesText = `        ms  a           r           b
       0.0  ├──────────▶│           │  ACK  seq 1  ack 1  len 5  win 1000  “hello”
       1.0  │           ├─────✗     │  ACK  seq 1  ack 1  len 5  win 1000  “hello”  ✗ lost
       2.0  ├──────────▶│           │  ACK  seq 1  ack 1  len 5  win 1000  “hello”  resent
       2.0  │           │           │  ● r  crash: out of memory
       3.0  │           │◀──────────┤  ACK  seq 1  ack 6  win 1000  [CE]
       4.0  │◀──────────────────────┤  ACK  seq 1  ack 6  win 1000  [corrupted: bit 3]
`

func TestTextOfMoreHosts(t *testing.T) {
	b := chain(Node{"a", Host, []string{"10.0.0.1"}}, Node{"r", Router, nil}, Node{"b", Host, []string{"10.0.1.2"}})
	b.Links = append(b.Links, Link{A: 0, B: 2})
	data := tcpPacket(alice, bob, segmentOf(header.ACK, 1, 1), "hello")
	b.put(0, true, data, "")
	b.put(1, true, data, "lost")
	b.put(0, true, data, "")
	ack := tcpPacket(bob, alice, segmentOf(header.ACK, 1, 6), "")
	h := header.IPv4{TOS: 3, TTL: 64, Protocol: header.ProtocolTCP, Src: bob.Addr(), Dst: alice.Addr(), PayloadLen: 20}
	b.put(1, false, append(h.Append(nil), ack[20:]...), "")
	b.put(2, false, ack, "corrupted: bit 3")
	b.Notes = []Note{{At: 2*ms + 1, Node: 1, Kind: "crash", Text: "out of memory"}}
	got := textOf(t, &b.Recording, TextOptions{})
	if _, ladder, _ := strings.Cut(got, "\n\n"); !strings.HasSuffix(ladder, lanesText) {
		t.Errorf("the text is\n%s\nwant it to end in\n%s", got, lanesText)
	}
}

func TestTextOfManyHostsNamesThem(t *testing.T) {
	var nodes []Node
	for i := range 20 {
		nodes = append(nodes, Node{Name: fmt.Sprintf("host%d", i), Kind: Host})
	}
	b := chain(nodes...)
	for i := range b.Links {
		b.put(i, true, ip4(header.ProtocolUDP, nil, udpOf("hi")), "")
	}
	if got := textOf(t, &b.Recording, TextOptions{}); !strings.Contains(got, "host7 → host8             UDP  len 2\n") {
		t.Errorf("the text is\n%s", got)
	}
}

// However much happened, the ladder has no more lines than it may, and tells of
// the rest, of losses and notes first.
func TestTextIsBounded(t *testing.T) {
	for _, lines := range []int{1, 10, 37, 200} {
		b := pairOf()
		for i := range 2000 {
			comment := ""
			if i%100 == 50 {
				comment = "lost"
			}
			b.there(segmentOf(header.ACK, uint32(1+5*i), 1), "hello", comment)
			if i%10 == 0 {
				b.put(0, true, icmp6Of(header.ICMPv6MLDv2Report, nil), "")
				b.Notes = append(b.Notes, Note{At: b.Length, Kind: "log", Text: "line"})
			}
		}
		b.Tables = []Table{{Text: strings.Repeat("row\n", 500)}}
		got := textOf(t, &b.Recording, TextOptions{Lines: lines})
		_, rest, _ := strings.Cut(got, "\n\n")
		_, rest, _ = strings.Cut(rest, "\n\n")
		ladder, tables, _ := strings.Cut(rest, "\n\n")
		most := max(lines, 10)
		if n := strings.Count(ladder, "\n"); n > most {
			t.Errorf("the ladder has %d lines, of %d:\n%s", n, most, ladder)
		}
		if !strings.Contains(ladder, "lost …") && !strings.Contains(ladder, "lost, ") && lines > 10 {
			t.Errorf("nothing says what was left out:\n%s", ladder)
		}
		if n := strings.Count(tables, "\n"); n > most+2 {
			t.Errorf("the table has %d lines, of %d", n, most)
		}
	}
}

func TestTextMovesNoCursor(t *testing.T) {
	b := pairOf()
	b.Nodes[0].Name, b.Title, b.Failed = "\x1b[2Ja", "\a\r", []string{"one\n\x1b]0;two"}
	b.there(segmentOf(header.ACK, 1, 1), "\x1b[31mred", "\x1b[1mlost")
	b.Notes = []Note{{Node: 0, Kind: "\x9b", Text: "\u202e\x00"}}
	b.Tables = []Table{{Node: 0, Text: "\x1b\n"}}
	for _, c := range textOf(t, &b.Recording, TextOptions{}) {
		if c != '\n' && c != '\t' && (c < ' ' || c >= 0x7f && c < 0xa0) {
			t.Errorf("the text has %q", c)
		}
	}
}

func TestAnEmptyRecording(t *testing.T) {
	if got := textOf(t, new(Recording), TextOptions{}); !strings.Contains(got, "No packet was sent.") {
		t.Errorf("the text is %q", got)
	}
}

type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestErrorsOfTheWriterAreTold(t *testing.T) {
	r := &conversation().Recording
	r.Start = time.Unix(0, 0)
	if err := Write(full{}, r); !errors.Is(err, errFull) {
		t.Errorf("Write: %v", err)
	}
	if err := WriteText(full{}, r, TextOptions{}); !errors.Is(err, errFull) {
		t.Errorf("WriteText: %v", err)
	}
}
