package berth_test

import (
	"net/netip"
	"syscall"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// MUST-59: what a device brings at once is all processed before any of it is
// acknowledged, also where it is for several connections.
func TestABatchIsAcknowledgedOnce(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		var conns []*played
		for port := range uint16(3) {
			conns = append(conns, playedServerOn(t, h, st, netip.AddrPortFrom(remote, 1000+port), 80+port, header.TCPOptions{}))
		}
		for _, p := range conns {
			set(t, p.sock, socket.TCP_QUICKACK, 1)
		}
		st.take(nil)
		const each = 10
		st.together(func() {
			for i := range each {
				for _, p := range conns {
					at := *p
					at.seq = p.seq.Add(i * 3)
					at.send(header.ACK|header.PSH, "abc")
				}
			}
		})
		acks := st.take(isTCP)
		if len(acks) != len(conns) {
			t.Errorf("%d segments were answered by %d", each*len(conns), len(acks))
		}
		for i, a := range acks {
			th, _ := a.tcp()
			if p := conns[i]; th.DstPort != p.remote.Port() || th.Ack != p.seq.Add(3*each) {
				t.Errorf("acknowledged %d of port %d", th.Ack.Sub(p.seq), th.DstPort)
			}
		}
	})
}

// What only an acknowledgment in between can tell it tells: that something came
// twice (RFC 2883). The rest of the batch is acknowledged once.
func TestDuplicatesInABatchAreReportedEach(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	p := playedServerOn(t, h, st, netip.AddrPortFrom(bob4, 1000), 80, header.TCPOptions{SACKPermitted: true})
	p.send(header.ACK, "abcdef")
	st.take(nil)
	st.together(func() {
		p.send(header.ACK, "abc")
		at := *p
		at.seq = p.seq.Add(3)
		at.send(header.ACK, "def")
	})
	var reported []string
	for _, a := range st.take(isTCP) {
		th, _ := a.tcp()
		if th.Options.SACKCount > 0 {
			b := th.Options.SACK[0]
			reported = append(reported, string("abcdef"[b.Left.Sub(p.seq):b.Right.Sub(p.seq)]))
		}
	}
	if len(reported) != 2 || reported[0] != "abc" || reported[1] != "def" {
		t.Errorf("reported %q", reported)
	}
}

// An error about a connection, or a reset, in the middle of a batch comes when it
// comes; what follows it finds the connection gone.
func TestAResetInABatch(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	p := playedServer(t, h, st, bob4)
	st.take(nil)
	st.together(func() {
		p.send(header.ACK, "abc")
		at := *p
		at.seq = p.seq.Add(3)
		at.send(header.RST, "")
		at.send(header.ACK, "def")
	})
	answers := st.take(isTCP)
	if len(answers) != 1 || !answers[0].isTCP(header.RST) {
		t.Errorf("%d answers", len(answers))
	}
	p.wantData(t, "abc")
	if n, err := p.sock.Recv(make([]byte, 1), 0); n != 0 || err != syscall.ECONNRESET {
		t.Errorf("received %d, %v", n, err)
	}
}

// One that begins between the same ends later in the batch is another one.
func TestAConnectionEndsAndBeginsInABatch(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	p := playedServer(t, h, st, bob4)
	st.take(nil)
	st.together(func() {
		p.send(header.ACK, "abc")
		at := *p
		at.seq = p.seq.Add(3)
		at.send(header.RST, "")
		at.seq = p.seq.Add(1000)
		at.send(header.SYN, "")
		at.send(header.SYN, "")
	})
	answers := st.take(isTCP)
	if len(answers) == 0 || !answers[0].isTCP(header.SYN|header.ACK) {
		t.Fatalf("%d answers", len(answers))
	}
	if th, _ := answers[0].tcp(); th.Ack != p.seq.Add(1001) {
		t.Errorf("the SYN,ACK acknowledges %d", th.Ack.Sub(p.seq))
	}
	p.wantData(t, "abc")
}
