package tcp

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
	"example.com/berth/tcpauth"
)

var (
	oneEnd   = netip.MustParseAddrPort("192.0.2.1:1000")
	otherEnd = netip.MustParseAddrPort("192.0.2.2:179")
)

// keyedPair are two connections that speak over a wire, with keys.
type keyedPair struct {
	t        testing.TB
	now      time.Duration
	a, b     *Conn
	listener *Conn
}

// newKeyedPair opens a connection between two sockets that set prepares.
func newKeyedPair(t testing.TB, set func(c *Conn, peer netip.Addr, client bool)) *keyedPair {
	p := DefaultParams()
	k := &keyedPair{t: t, now: time.Hour, a: NewConn(p), listener: NewConn(p)}
	set(k.a, otherEnd.Addr(), true)
	set(k.listener, oneEnd.Addr(), false)
	k.a.Authenticate(oneEnd, otherEnd)
	o := Opening{ISS: 0xffffff00, MTU: 1500}
	if err := k.a.Connect(k.now, o); err != nil {
		t.Fatal(err)
	}
	var out Segment
	k.a.Next(k.now, &out)
	syn := k.cross(k.a, &out)
	if !k.listener.Judge(syn, otherEnd, oneEnd) {
		t.Fatal("the SYN is not admitted")
	}
	r := NewRequest(p, k.now, o, syn, nil)
	r.SynAck(k.now, &out)
	k.a.Input(k.now, crossing(oneEnd, otherEnd, &out, false))
	k.a.Next(k.now, &out)
	ack := k.cross(k.a, &out)
	if v := r.Input(k.now, ack, &p.Options, &out); v != Open {
		t.Fatalf("the last ACK: %v", v)
	}
	k.b = new(Conn)
	r.Open(k.b, o, nil)
	k.b.Input(k.now, ack)
	k.exchange()
	if k.a.State() != socket.TCP_ESTABLISHED || k.b.State() != socket.TCP_ESTABLISHED {
		t.Fatal("not established")
	}
	return k
}

// cross is what becomes of a segment of one of the connections on its way.
func (k *keyedPair) cross(from *Conn, out *Segment) *Segment {
	return crossing(oneEnd, otherEnd, out, from == k.a)
}

// crossing writes a segment's header, signs it, and parses it again.
func crossing(one, other netip.AddrPort, out *Segment, fromOne bool) *Segment {
	src, dst := other, one
	if fromOne {
		src, dst = one, other
	}
	h := header.TCP{
		SrcPort: src.Port(), DstPort: dst.Port(), Seq: out.Seq, Ack: out.Ack, Flags: out.Flags,
		Window: out.Window, Options: out.Options,
	}
	head := h.Append(nil)
	if out.Auth != nil {
		out.Sign(head)
	}
	var back header.TCP
	if _, err := back.Parse(head); err != nil {
		panic(err)
	}
	return &Segment{
		Seq: out.Seq, Ack: out.Ack, Flags: out.Flags, Window: out.Window, Options: back.Options,
		Payload: out.Payload, Buffer: out.Buffer, Header: head,
	}
}

func (k *keyedPair) exchange() {
	for moved := true; moved; {
		moved = false
		for _, c := range []*Conn{k.a, k.b} {
			to := k.b
			if c == k.b {
				to = k.a
			}
			var out Segment
			for c.Next(k.now, &out) {
				to.Input(k.now, k.cross(c, &out))
				out.Buffer.Release()
				moved = true
			}
		}
	}
}

func withMD5(c *Conn, peer netip.Addr, _ bool) {
	if err := c.SetMD5(socket.TCPMD5Sig{Peer: netip.PrefixFrom(peer, peer.BitLen()), Key: []byte("k"), Algorithm: tcpauth.MD5}); err != nil {
		panic(err)
	}
}

func withAO(c *Conn, peer netip.Addr, client bool) {
	if err := c.AddAOKey(vectorKey(tcpauth.HMACSHA1, false, client, peer), false); err != nil {
		panic(err)
	}
}

func TestICMPIsIgnoredWithTCPAO(t *testing.T) {
	for _, tt := range []struct {
		name     string
		set      func(*Conn, netip.Addr, bool)
		believed bool
	}{
		{"TCP-AO", withAO, false},
		{"TCP-AO, accepting ICMP", func(c *Conn, peer netip.Addr, client bool) {
			withAO(c, peer, client)
			if err := c.SetAOInfo(socket.TCPAOInfo{AcceptICMP: true}, false); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"MD5", withMD5, true},
	} {
		k := newKeyedPair(t, tt.set)
		k.a.Write(k.now, make([]byte, 100), false)
		var out Segment
		k.a.Next(k.now, &out)
		k.a.SetMTU(k.now, 1000, out.Seq, true)
		if believed := k.a.MTU() == 1000; believed != tt.believed {
			t.Errorf("%s: that the path is narrow is believed: %v", tt.name, believed)
		}
		k.a.Error(k.now, syscall.ECONNREFUSED, true, out.Seq)
		if believed := k.a.SoftError() != 0; believed != tt.believed {
			t.Errorf("%s: that the port is not there is believed: %v", tt.name, believed)
		}
		want := uint64(2)
		if tt.believed {
			want = 0
		}
		if n := k.a.p.Counters.AODroppedICMP.Load(); n != want {
			t.Errorf("%s: %d errors are counted, want %d", tt.name, n, want)
		}
		// What is not about the end of the connection is told as ever.
		k.a.Error(k.now, syscall.EHOSTUNREACH, false, out.Seq)
		if k.a.SoftError() != syscall.EHOSTUNREACH {
			t.Errorf("%s: soft error %v", tt.name, k.a.SoftError())
		}
		out.Buffer.Release()
	}
}

// A full segment fills the path with the option in it, and so does one that carries
// the blocks for which the option leaves room.
func TestSegmentsLeaveRoomForTheOption(t *testing.T) {
	for _, tt := range []struct {
		name   string
		set    func(*Conn, netip.Addr, bool)
		mss    int
		blocks int
	}{
		{"MD5", withMD5, 1500 - 40 - 20, 2},
		{"TCP-AO with timestamps", withAO, 1500 - 40 - 16 - 12, 1},
	} {
		k := newKeyedPair(t, tt.set)
		if k.a.snd.mss != tt.mss || k.b.snd.mss != tt.mss {
			t.Errorf("%s: segments of %d and %d bytes, want %d", tt.name, k.a.snd.mss, k.b.snd.mss, tt.mss)
		}
		// Every other segment is lost.
		k.a.Write(k.now, make([]byte, 8*tt.mss), false)
		var out Segment
		for i := 0; k.a.Next(k.now, &out); i++ {
			h := header.TCP{Options: out.Options}
			if n := 20 + h.HeaderLen() + len(out.Payload); n > 1500 {
				t.Errorf("%s: a packet of %d bytes", tt.name, n)
			}
			if i%2 == 1 {
				k.b.Input(k.now, k.cross(k.a, &out))
			}
			out.Buffer.Release()
		}
		most := 0
		for k.b.Next(k.now, &out) {
			in := k.cross(k.b, &out)
			most = max(most, in.Options.SACKCount)
			if in.Options.Auth.Kind == header.TCPAuthNone {
				t.Errorf("%s: not signed", tt.name)
			}
		}
		if most != tt.blocks {
			t.Errorf("%s: %d blocks, want %d", tt.name, most, tt.blocks)
		}
	}
}

// Signing and verifying use memory that the connection has.
func TestNoAllocationsForACode(t *testing.T) {
	for _, set := range []func(*Conn, netip.Addr, bool){withMD5, withAO} {
		k := newKeyedPair(t, set)
		k.a.Write(k.now, make([]byte, 1000), false)
		var out Segment
		if !k.a.Next(k.now, &out) {
			t.Fatal("nothing to send")
		}
		in, c := k.cross(k.a, &out), k.b.p.Counters
		head := in.Header
		if n := testing.AllocsPerRun(100, func() {
			clear(head[header.TCPAuthAt : header.TCPAuthAt+int(in.Options.Auth.Len)])
			clear(head[checksumAt : checksumAt+2])
			out.Sign(head)
			in.Auth = nil
			if !admits(k.b.rare.auth, c, in) {
				t.Fatal("not admitted")
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
		out.Buffer.Release()
	}
}

// An old segment of the connection is admitted after the sequence numbers wrapped, and
// one that pretends to be of the next four gigabytes is not.
func TestSequenceNumbersAreExtended(t *testing.T) {
	for _, tt := range []struct {
		near uint64
		seq  uint32
		want uint64
	}{
		{5, 5, 5},
		{5, 6, 6},
		{0xffffffff, 0, 1 << 32},
		{1 << 32, 0xffffffff, 0xffffffff},
		{3<<32 + 10, 0xfffffff0, 2<<32 + 0xfffffff0},
		{3<<32 + 0x80000000, 0, 3 << 32},
	} {
		if got := extend(tt.near, seqnum.Value(tt.seq)); got != tt.want {
			t.Errorf("%#x near %#x: %#x, want %#x", tt.seq, tt.near, got, tt.want)
		}
	}
}

// FuzzAuth gives what a wire may carry to a connection with keys: it neither panics
// nor admits what is not signed.
func FuzzAuth(f *testing.F) {
	for _, v := range vectors {
		f.Add(unhex(f, v.packet)[20:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, set := range []func(*Conn, netip.Addr, bool){withMD5, withAO} {
			var h header.TCP
			payload, err := h.Parse(b)
			if err != nil {
				return
			}
			k := newKeyedPair(t, set)
			seg := Segment{
				Seq: h.Seq, Ack: h.Ack, Flags: h.Flags, Window: h.Window, Options: h.Options,
				Payload: payload, Header: b[:len(b)-len(payload)],
			}
			again := seg
			if before := k.b.Info(k.now); k.b.Input(k.now, &seg) != (Result{}) || k.b.Info(k.now) != before {
				t.Fatalf("%+v has an effect", seg)
			}
			if k.listener.Judge(&again, otherEnd, oneEnd) {
				t.Fatalf("%+v is admitted by the listener", again)
			}
		}
	})
}
