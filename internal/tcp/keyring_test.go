package tcp

import (
	"net/netip"
	"syscall"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
	"example.com/berth/tcpauth"
)

func md5Sig(peer, key string) socket.TCPMD5Sig {
	return socket.TCPMD5Sig{Peer: netip.MustParsePrefix(peer), Key: []byte(key), Algorithm: tcpauth.MD5}
}

func TestKeysForSignatures(t *testing.T) {
	r := new(Keyring)
	noAlgorithm := md5Sig("192.0.2.0/24", "k")
	noAlgorithm.Algorithm = nil
	for _, tt := range []struct {
		name string
		sig  socket.TCPMD5Sig
		want error
	}{
		{"too long", md5Sig("192.0.2.0/24", string(make([]byte, 81))), syscall.EINVAL},
		{"no algorithm", noAlgorithm, syscall.EINVAL},
		{"deleting what is not there", md5Sig("192.0.2.0/24", ""), syscall.ENOENT},
		{"a network", md5Sig("192.0.2.0/24", "wide"), nil},
		{"one of it", md5Sig("192.0.2.7/32", "narrow"), nil},
		{"the network again", md5Sig("192.0.2.0/24", "wider"), nil},
	} {
		if err := r.setMD5(tt.sig); err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	for peer, want := range map[string]string{"192.0.2.7": "narrow", "192.0.2.8": "wider", "192.0.3.1": ""} {
		got := ""
		if k := r.md5For(netip.MustParseAddr(peer)); k != nil {
			got = string(k.sig.Key)
		}
		if got != want {
			t.Errorf("the key for %s is %q, want %q", peer, got, want)
		}
	}
	if err := r.addAO(vectorKey(tcpauth.HMACSHA1, false, true, netip.MustParseAddr("192.0.2.7"))); err != errKeyRejected {
		t.Errorf("TCP-AO for a peer with a signature: %v", err)
	}
	if err := r.setMD5(md5Sig("192.0.2.7/32", "")); err != nil || len(r.md5) != 1 {
		t.Errorf("deleting a key: %v, %d are left", err, len(r.md5))
	}
	if err := r.setInfo(socket.TCPAOInfo{Required: true}); err != errKeyRejected {
		t.Errorf("requiring TCP-AO where there are signatures: %v", err)
	}
	for i := len(r.md5); i < maxKeys; i++ {
		r.md5 = append(r.md5, md5Key{})
	}
	if err := r.setMD5(md5Sig("198.51.100.0/24", "k")); err != syscall.ENOBUFS {
		t.Errorf("one key too many: %v", err)
	}
}

func TestKeysOfTCPAO(t *testing.T) {
	c := NewConn(DefaultParams())
	if _, err := c.AOInfo(); err != syscall.ENOENT {
		t.Errorf("TCP_AO_INFO without keys: %v", err)
	}
	if _, err := c.AOKeys(); err != syscall.ENOENT {
		t.Errorf("TCP_AO_GET_KEYS without keys: %v", err)
	}
	if err := c.DelAOKey(socket.TCPAODelKey{}, false); err != syscall.ENOENT {
		t.Errorf("TCP_AO_DEL_KEY without keys: %v", err)
	}
	peer := otherEnd.Addr()
	first := vectorKey(tcpauth.HMACSHA1, false, true, peer)
	second, foreign := first, vectorKey(tcpauth.AES128CMAC, false, true, peer.Next())
	second.SendID, second.RecvID, second.Current, second.RNext = 1, 2, true, true
	for _, k := range []socket.TCPAOKey{first, second, foreign} {
		if err := c.AddAOKey(k, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.AddAOKey(first, false); err != syscall.EEXIST {
		t.Errorf("a key twice: %v", err)
	}
	for _, listening := range []error{
		c.AddAOKey(second, true), c.SetAOInfo(socket.TCPAOInfo{SetRNext: true, RNextID: 2}, true),
		c.DelAOKey(socket.TCPAODelKey{SetCurrent: true}, true),
	} {
		if listening != syscall.EINVAL {
			t.Errorf("a current key of a listener: %v", listening)
		}
	}
	if err := c.SetAOInfo(socket.TCPAOInfo{SetCurrent: true, CurrentID: 99}, false); err != syscall.ENOENT {
		t.Errorf("a current key that is not there: %v", err)
	}
	if err := c.SetAOInfo(socket.TCPAOInfo{SetRNext: true, RNextID: 99}, false); err != syscall.ENOENT {
		t.Errorf("a next key that is not there: %v", err)
	}
	if err := c.SetAOInfo(socket.TCPAOInfo{Required: true}, false); err != nil {
		t.Error(err)
	}
	if err := c.Refuses(peer); err != nil {
		t.Errorf("a peer with a key is refused: %v", err)
	}
	if err := c.Refuses(oneEnd.Addr()); err != errKeyRejected {
		t.Errorf("a peer without key: %v", err)
	}
	// The socket connects, to no avail, and then is another connection's.
	c.Authenticate(oneEnd, otherEnd)
	next := NewConn(c.p)
	next.KeepKeys(c)
	next.Authenticate(oneEnd, otherEnd)
	keys, err := next.AOKeys()
	if err != nil || len(keys) != 2 || keys[0].Current || !keys[1].Current || !keys[1].RNext || keys[0].Secret != nil {
		t.Errorf("the keys are %+v, %v", keys, err)
	}
	info, err := next.AOInfo()
	if err != nil || !info.Required || !info.HasCurrent || info.CurrentID != 1 || !info.HasRNext || info.RNextID != 2 {
		t.Errorf("info is %+v, %v", info, err)
	}
	del := socket.TCPAODelKey{Peer: second.Peer, SendID: 1, RecvID: 2}
	if err := next.DelAOKey(del, false); err != syscall.EBUSY {
		t.Errorf("deleting the current key: %v", err)
	}
	del.SetCurrent, del.SetRNext, del.CurrentID, del.RNextID = true, true, first.SendID, first.RecvID
	if err := next.DelAOKey(del, false); err != nil {
		t.Errorf("deleting it for another: %v", err)
	}
	if next.Memory() <= NewConn(c.p).Memory() {
		t.Error("keys take no memory")
	}
}

// What a handshake answers with a reset is signed, like all that it says, if the
// segment was.
func TestHandshakesSign(t *testing.T) {
	for _, set := range []func(*Conn, netip.Addr, bool){withMD5, withAO} {
		k := newKeyedPair(t, set)
		p, c := k.a.p, NewConn(k.a.p)
		set(c, otherEnd.Addr(), true)
		c.Authenticate(oneEnd, otherEnd)
		if err := c.Connect(k.now, Opening{ISS: 9, MTU: 1500}); err != nil {
			t.Fatal(err)
		}
		var out Segment
		c.Next(k.now, &out)
		syn := crossing(oneEnd, otherEnd, &out, true)
		if !k.listener.Judge(syn, otherEnd, oneEnd) {
			t.Fatal("the SYN is not admitted")
		}
		r := NewRequest(p, k.now, Opening{ISS: 100, MTU: 1500}, syn, nil)
		r.SynAck(k.now, &out)
		c.Input(k.now, crossing(oneEnd, otherEnd, &out, false))
		c.Next(k.now, &out)
		out.Ack++ // of something that was never sent
		ack := crossing(oneEnd, otherEnd, &out, true)
		if v := r.Input(k.now, ack, &p.Options, &out); v != Reset {
			t.Fatalf("verdict %v", v)
		}
		if !ResetFor(ack, &out) {
			t.Fatal("no reset")
		}
		c.Input(k.now, crossing(oneEnd, otherEnd, &out, false))
		if p.Counters.MD5Missing.Load()+p.Counters.AORequired.Load()+p.Counters.MD5Bad.Load()+p.Counters.AOBad.Load() != 0 {
			t.Error("the reset is not admitted")
		}
		forged := *ack
		forged.Auth, forged.Options.Auth = nil, header.TCPAuth{}
		if v := r.Input(k.now, &forged, &p.Options, &out); v != Ignore || ResetFor(&forged, &out) && out.Auth != nil {
			t.Errorf("what is not signed: %v", v)
		}
	}
}

// A peer without keys is no peer's business: what is signed where there is no key is
// dropped, and counted by its kind.
func TestSignedWithoutKeys(t *testing.T) {
	c := NewConn(DefaultParams())
	for _, tt := range []struct {
		kind  uint8
		count interface{ Load() uint64 }
	}{
		{header.TCPAuthMD5, &c.p.Counters.MD5Unexpected},
		{header.TCPAuthAO, &c.p.Counters.AOKeyNotFound},
		{header.TCPAuthInvalid, &c.p.Counters.AuthMalformed},
	} {
		seg := Segment{Flags: header.ACK, Options: header.TCPOptions{Auth: header.TCPAuth{Kind: tt.kind}}}
		if got := c.Input(1, &seg); got.Closed || tt.count.Load() != 1 {
			t.Errorf("kind %d: %+v, counted %d times", tt.kind, got, tt.count.Load())
		}
		if c.Judge(&seg, otherEnd, oneEnd) || tt.count.Load() != 2 {
			t.Errorf("kind %d: a listener admits it", tt.kind)
		}
	}
	if err := c.SetAOInfo(socket.TCPAOInfo{Required: true}, true); err != nil {
		t.Fatal(err)
	}
	if c.Judge(&Segment{Flags: header.SYN}, otherEnd, oneEnd) || c.p.Counters.AORequired.Load() != 1 {
		t.Error("a listener that requires TCP-AO admits a peer without key")
	}
}

// A flood of SYNs without the key costs a listener no memory.
func TestNoAllocationsForAStranger(t *testing.T) {
	for _, set := range []func(*Conn, netip.Addr, bool){withMD5, withAO} {
		c := NewConn(DefaultParams())
		set(c, oneEnd.Addr(), false)
		for _, o := range []header.TCPAuth{{}, {Kind: header.TCPAuthInvalid}, {Kind: header.TCPAuthAO, KeyID: 99}} {
			seg := Segment{Flags: header.SYN, Options: header.TCPOptions{Auth: o}}
			if n := testing.AllocsPerRun(100, func() {
				if c.Judge(&seg, otherEnd, oneEnd) {
					t.Fatal("admitted")
				}
			}); n != 0 {
				t.Errorf("%v allocations for an option of kind %d", n, o.Kind)
			}
		}
	}
}
