package sockettest

import (
	"syscall"

	"example.com/berth/socket"
)

var headerOptionCases = []rows{
	on4("ip-options/read", "IP_OPTIONS reads as it was set, filled up to whole words, and is empty at first", headerOptionRead),
	on4("ip-options/bad", "malformed options, and more than 40 bytes, are EINVAL, and change nothing", headerOptionBad),
	// HOST-25, HOST-26, UDP-2, UDP-3, UDP-4, UDP-17, UDP-18, HOST-149, HOST-151.
	on4("ip-options/sent", "what IP_OPTIONS says is in the header, and IP_RECVOPTS tells it", headerOptionSent),
	// HOST-31.
	on4("ip-options/record-route", "a route is recorded by who sends and who receives, and goes back with IP_RETOPTS", headerOptionRecordRoute),
	// HOST-32.
	on4("ip-options/timestamp", "each end writes its address and time", headerOptionTimestamp),
	on4("ip-options/one-message", "IP_RETOPTS of a message takes the place of IP_OPTIONS", headerOptionOneMessage),
	on4("ip-options/one-message-bad", "malformed options of a message are EINVAL", headerOptionOneMessageBad),
	on4("ip-options/off", "no options, or nobody who asks: nothing is told", headerOptionOff),
	// DEF-21.
	on4("ip-options/source-route", "a packet with a source route is dropped", headerOptionSourceRoute),
	on4("ip-options/source-route-read", "a source route reads as it was set", headerOptionSourceRouteRead),
	on4("ip-options/stream", "a connection has them, and as much less data in a segment", headerOptionStream).needing(link),
	on4("ip-options/listener", "a connection does not inherit its listener's", headerOptionListener),
	on4("ip-options/too-long", "a datagram that fills the path without them is too long for IP_PMTUDISC_DO", headerOptionTooLong).needing(link),
	on4("ip-options/fragments", "a datagram in fragments arrives with the options of its first", headerOptionFragments),
	on4("ip-options/raw", "a raw socket sends them", headerOptionRaw).needing(raw),
	on4("ip-options/hdrincl", "with IP_HDRINCL they are EINVAL", headerOptionHdrincl).needing(raw),
}

const (
	recordTwo  = "\x07\x0b\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	stampTwo   = "\x44\x14\x05\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	alert      = "\x94\x04\x00\x00"
	routeEmpty = "\x83\x07\x04"
)

func headerOptionRead(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		equal(t, "at first", get(t, s, socket.IP_OPTIONS), "")
		for _, o := range []string{alert, recordTwo, "\x01", ""} {
			set(t, s, socket.IP_OPTIONS, o)
			want := o
			if o == "\x01" {
				want = "\x01\x00\x00\x00"
			}
			equal(t, "IP_OPTIONS", get(t, s, socket.IP_OPTIONS), want)
		}
	})
}

func headerOptionBad(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		set(t, s, socket.IP_OPTIONS, alert)
		for _, o := range []string{
			"\x07\x00", "\x07\x01", "\x07\x07\x04", "\x07", "\x07\x07\x03\x00\x00\x00\x00", "\x07\x05\x04\x00\x00",
			recordTwo[:11] + recordTwo, "\x94\x02", "\x83\x03\x04", "\x83\x07\x08\x0a\x00\x00\x01", "\x83\x09\x04\x0a\x00\x00\x01\x00\x00",
			"\x83\x07\x04\x0a\x00\x00\x01\x89\x07\x04\x0a\x00\x00\x01", "\x44\x04\x04\x00", "\x44\x08\x05\x01\x00\x00\x00\x00",
			"\x44\x04\x05\xf0", string(make([]byte, 41)),
		} {
			if err := socket.Set(s, socket.IP_OPTIONS, o); err != syscall.EINVAL {
				t.Errorf("% x: %v, want EINVAL", o, err)
			}
		}
		equal(t, "IP_OPTIONS", get(t, s, socket.IP_OPTIONS), alert)
	})
}

// hearing makes a socket that is told the options of what comes.
func (t *T) hearing(s socket.Socket) socket.Socket {
	set(t, s, socket.IP_RECVOPTS, 1)
	set(t, s, socket.IP_RETOPTS, 1)
	return s
}

func headerOptionSent(t *T, f family) {
	a, b := t.udpPair(f)
	t.hearing(b)
	for _, o := range []string{alert, "\x01\x01\x94\x04\x00\x00\x00\x00"} {
		set(t, a, socket.IP_OPTIONS, o)
		t.send(a, "x")
		c := t.recvMsg(b).Control
		equal(t, "Present", c.Present&socket.ControlRecvOpts, socket.ControlRecvOpts)
		equal(t, "RecvOpts", c.RecvOpts, o)
		equal(t, "RetOpts", c.RetOpts, "")
	}
}

// bytes4 is an IPv4 address as it stands in options.
func (f *family) bytes4(t *T, s socket.Socket) string {
	b := s.LocalAddr().Addr().Unmap().As4()
	return string(b[:])
}

func headerOptionRecordRoute(t *T, f family) {
	a, b := t.udpPair(f)
	t.hearing(b)
	set(t, a, socket.IP_OPTIONS, recordTwo)
	t.send(a, "x")
	want := "\x07\x0b\x0c" + f.bytes4(t, a) + f.bytes4(t, b) + "\x00"
	c := t.recvMsg(b).Control
	equal(t, "RecvOpts", c.RecvOpts, want)
	equal(t, "RetOpts", c.RetOpts, want)
	equal(t, "IP_OPTIONS", get(t, a, socket.IP_OPTIONS), recordTwo)
}

func headerOptionTimestamp(t *T, f family) {
	a, b := t.udpPair(f)
	t.hearing(b)
	set(t, a, socket.IP_OPTIONS, stampTwo)
	t.send(a, "x")
	o := t.recvMsg(b).Control.RecvOpts
	if len(o) != len(stampTwo) {
		t.Fatalf("RecvOpts % x", o)
	}
	equal(t, "head", o[:4], "\x44\x14\x15\x01")
	equal(t, "sender", o[4:8], f.bytes4(t, a))
	equal(t, "receiver", o[12:16], f.bytes4(t, b))
	for _, at := range []int{8, 16} {
		if ms := int(o[at])<<24 | int(o[at+1])<<16 | int(o[at+2])<<8 | int(o[at+3]); ms < 0 || ms >= 86_400_000 {
			t.Errorf("%d ms since midnight", ms)
		}
	}
}

func withRetOpts(o string) socket.Control {
	return socket.Control{Present: socket.ControlRetOpts, RetOpts: o}
}

func headerOptionOneMessage(t *T, f family) {
	a, b := t.udp(t.A, f), t.hearing(t.udpAt(t.B, f, f.b))
	to := b.LocalAddr()
	set(t, a, socket.IP_OPTIONS, recordTwo)
	t.ok(t.sendWith(a, to, withRetOpts(alert)))
	equal(t, "RecvOpts", t.recvMsg(b).Control.RecvOpts, alert)
	t.ok(t.sendWith(a, to, socket.Control{}))
	equal(t, "length of the socket's", len(t.recvMsg(b).Control.RecvOpts), len(recordTwo))
}

func headerOptionOneMessageBad(t *T, f family) {
	a, b := t.udp(t.A, f), t.udpAt(t.B, f, f.b)
	t.fails("SendMsg", t.sendWith(a, b.LocalAddr(), withRetOpts("\x07\x00\x00\x00")), syscall.EINVAL)
}

func headerOptionOff(t *T, f family) {
	a, b := t.udpPair(f)
	t.hearing(b)
	t.send(a, "x")
	equal(t, "without options", t.recvMsg(b).Control, socket.Control{})
	set(t, b, socket.IP_RECVOPTS, 0)
	set(t, b, socket.IP_RETOPTS, 0)
	set(t, a, socket.IP_OPTIONS, alert)
	t.send(a, "x")
	equal(t, "not asked for", t.recvMsg(b).Control, socket.Control{})
}

func headerOptionSourceRoute(t *T, f family) {
	a, b := t.udpPair(f)
	set(t, a, socket.IP_OPTIONS, routeEmpty+f.bytes4(t, b))
	t.send(a, "by a way of its own")
	set(t, a, socket.IP_OPTIONS, "")
	t.send(a, "x")
	t.receives(b, "x")
}

func headerOptionSourceRouteRead(t *T, f family) {
	s := t.udp(t.A, f)
	for _, o := range []string{"\x83\x07\x04\x0a\x00\x00\x01\x00", "\x89\x0f\x04\x0a\x00\x00\x01\x0a\x00\x00\x02\x0a\x00\x00\x03\x00"} {
		set(t, s, socket.IP_OPTIONS, o)
		equal(t, "IP_OPTIONS", get(t, s, socket.IP_OPTIONS), o)
	}
}

func headerOptionStream(t *T, f family) {
	a, b := t.pair(f)
	before := get(t, a, socket.TCP_MAXSEG)
	set(t, a, socket.IP_OPTIONS, recordTwo)
	equal(t, "TCP_MAXSEG", get(t, a, socket.TCP_MAXSEG), before-len(recordTwo))
	t.send(a, "there")
	t.receives(b, "there")
	t.send(b, "back")
	t.receives(a, "back")
	set(t, a, socket.IP_OPTIONS, "")
	equal(t, "TCP_MAXSEG without", get(t, a, socket.TCP_MAXSEG), before)

	c := t.tcp(t.A, f)
	set(t, c, socket.IP_OPTIONS, recordTwo)
	l := t.listener(f)
	t.connect(c, l.LocalAddr())
	equal(t, "TCP_MAXSEG from the first", get(t, c, socket.TCP_MAXSEG), before-len(recordTwo))
}

func headerOptionListener(t *T, f family) {
	l := t.listener(f)
	set(t, l, socket.IP_OPTIONS, alert)
	c := t.tcp(t.A, f)
	t.connect(c, l.LocalAddr())
	equal(t, "IP_OPTIONS of the child", get(t, t.accept(l), socket.IP_OPTIONS), "")
}

func headerOptionTooLong(t *T, f family) {
	a, _ := t.udpPair(f)
	set(t, a, socket.IP_MTU_DISCOVER, socket.IP_PMTUDISC_DO)
	room := get(t, a, socket.IP_MTU) - 20 - 8
	_, err := a.Send(make([]byte, room), 0)
	t.ok(err)
	set(t, a, socket.IP_OPTIONS, alert)
	_, err = a.Send(make([]byte, room-len(alert)), 0)
	t.ok(err)
	_, err = a.Send(make([]byte, room-len(alert)+1), 0)
	t.fails("Send", err, syscall.EMSGSIZE)
}

func headerOptionFragments(t *T, f family) {
	a, b := t.udpPair(f)
	t.hearing(b)
	set(t, a, socket.IP_OPTIONS, alert+recordTwo)
	set(t, a, socket.IP_MTU_DISCOVER, socket.IP_PMTUDISC_DONT)
	want := make([]byte, 60000)
	for i := range want {
		want[i] = byte(i % 251)
	}
	_, err := a.Send(want, 0)
	t.ok(err)
	m := socket.Message{Buffers: [][]byte{make([]byte, 65535)}}
	n, err := b.RecvMsg(&m, 0)
	t.ok(err)
	equal(t, "data", string(m.Buffers[0][:n]) == string(want), true)
	equal(t, "length of RecvOpts", len(m.Control.RecvOpts), len(alert+recordTwo))
}

func headerOptionRaw(t *T, f family) {
	a, b := t.rawPair(f, testing1)
	set(t, a, socket.IP_OPTIONS, alert)
	t.sendTo(a, "hello", at(f.b, 0))
	packet, _ := t.next(b, f, whatever)
	equal(t, "header length", int(packet[0]&15)*4, 24)
	equal(t, "options", string(packet[20:24]), alert)
	equal(t, "payload", string(packet[24:]), "hello")
}

func headerOptionHdrincl(t *T, f family) {
	s := t.raw(t.A, f, testing1)
	set(t, s, socket.IP_HDRINCL, 1)
	packet := string(f.header(f.a, f.b, testing1, 5)) + "hello"
	t.sendTo(s, packet, at(f.b, 0))
	set(t, s, socket.IP_OPTIONS, alert)
	_, err := s.SendTo([]byte(packet), 0, at(f.b, 0))
	t.fails("SendTo", err, syscall.EINVAL)
}
