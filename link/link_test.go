package link_test

import (
	"bytes"
	"testing"

	"example.com/berth/link"
	"example.com/berth/link/linktest"
)

// lent returns a frame whose payload lies in a pooled buffer.
func lent(head, payload string) (link.Frame, *link.Buffer) {
	b := link.NewBuffer(len(payload))
	n := copy(b.Bytes(), payload)
	return link.Frame{Head: []byte(head), Payload: b.Bytes()[:n], Buffer: b}, b
}

func content(f *link.Frame) string { return string(f.AppendTo(nil)) }

func TestKeepOutlivesTheLender(t *testing.T) {
	head, payload := []byte("head "), []byte("payload")
	f := link.Frame{Head: head, Payload: payload, SegSize: 3, GSO: link.GSOUDP, Comment: "why"}
	k := f.Keep()
	copy(head, "xxxxx")
	copy(payload, "xxxxxxx")
	f = link.Frame{}
	if got := content(&k.Frame); got != "head payload" {
		t.Errorf("kept %q", got)
	}
	if k.SegSize != 3 || k.GSO != link.GSOUDP || k.Comment != "why" {
		t.Errorf("kept %+v", k.Frame)
	}
	k.Release()
}

func TestKeepSharesAPooledPayload(t *testing.T) {
	f, b := lent("head ", "payload")
	k := f.Keep()
	if &k.Payload[0] != &f.Payload[0] || !b.Shared() {
		t.Error("the payload was copied")
	}
	b.Release() // the lender's reference: the kept frame has its own
	if got := content(&k.Frame); got != "head payload" || b.Shared() {
		t.Errorf("kept %q, shared %v", got, b.Shared())
	}
	k.Release()
}

func TestKeepCopyMayBeChanged(t *testing.T) {
	f, b := lent("head ", "payload")
	defer b.Release()
	k := f.KeepCopy()
	copy(k.Head, "HEAD")
	copy(k.Payload, "PAYLOAD")
	if got := content(&f); got != "head payload" || b.Shared() {
		t.Errorf("the lent frame became %q, shared %v", got, b.Shared())
	}
	k.Release()
}

func TestAKeptFrameIsAFrame(t *testing.T) {
	f, b := lent("head ", "payload")
	first := f.Keep()
	second := first.Keep()
	b.Release()
	first.Release()
	if got := content(&second.Frame); got != "head payload" {
		t.Errorf("kept %q", got)
	}
	second.Release()
}

func TestKeepOfALongHead(t *testing.T) {
	head := bytes.Repeat([]byte("h"), 300)
	f := link.Frame{Head: head}
	k := f.Keep()
	head[0] = 'x'
	if !bytes.Equal(k.Head, bytes.Repeat([]byte("h"), 300)) || k.Payload != nil {
		t.Errorf("kept %q and %q", k.Head, k.Payload)
	}
	k.Release()
}

func TestKeepOfNothing(t *testing.T) {
	var f link.Frame
	k := f.Keep()
	if k.Len() != 0 || k.Buffer != nil {
		t.Errorf("kept %+v", k.Frame)
	}
	k.Release()
}

func TestReleaseTwicePanics(t *testing.T) {
	f, b := lent("", "payload")
	k := f.Keep()
	b.Release()
	kept := *k
	kept.Buffer.Release()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	k.Release()
}

func TestKeepNoAllocs(t *testing.T) {
	pooled, b := lent("head", "payload")
	defer b.Release()
	own := link.Frame{Head: make([]byte, 54), Payload: make([]byte, 1400)}
	linktest.NoAllocs(t, func() {
		pooled.Keep().Release()
		own.Keep().Release()
		pooled.KeepCopy().Release()
	})
}

func TestPeek(t *testing.T) {
	for _, tt := range []struct{ head, payload, want string }{
		{"abcdef", "gh", "abcd"},
		{"ab", "cdef", "abcd"},
		{"", "abcdef", "abcd"},
		{"ab", "c", "abc"},
		{"", "", ""},
	} {
		f := link.Frame{Head: []byte(tt.head), Payload: []byte(tt.payload)}
		var b [4]byte
		if got := string(b[:f.Peek(b[:])]); got != tt.want {
			t.Errorf("Peek of %q+%q = %q, want %q", tt.head, tt.payload, got, tt.want)
		}
	}
}

func TestCheck(t *testing.T) {
	ip := link.Info{MTU: 1500, Offload: link.OffloadAll}
	ethernet := link.Info{Medium: link.Ethernet, MTU: 1500}
	large := func(gso link.GSO, head, payload, size int) link.Frame {
		return link.Frame{Head: make([]byte, head), Payload: make([]byte, payload), GSO: gso, SegSize: uint16(size)}
	}
	few := ip
	few.MaxSegments = 17
	for _, tt := range []struct {
		name  string
		info  link.Info
		frame link.Frame
		want  error
	}{
		{"a packet of the MTU", ip, large(0, 40, 1460, 0), nil},
		{"one byte more", ip, large(0, 40, 1461, 0), link.ErrTooLong},
		{"the header of Ethernet is not counted", ethernet, large(0, 54, 1460, 0), nil},
		{"one byte more than that", ethernet, large(0, 54, 1461, 0), link.ErrTooLong},
		{"a large frame", ip, large(link.GSOTCP6, 60, 60000, 1440), nil},
		{"one with long segments", ip, large(link.GSOTCP6, 60, 60000, 1441), link.ErrTooLong},
		{"one with its head in the payload", ip, large(link.GSOTCP6, 0, 60000, 1440), nil},
		{"one of as many segments as may be", few, large(link.GSOTCP6, 60, 17000, 1000), nil},
		{"one of too many segments", few, large(link.GSOTCP6, 60, 17001, 1000), link.ErrOffload},
		{"one without a segment size", ip, large(link.GSOTCP6, 60, 60000, 0), link.ErrOffload},
		{"one of no known kind", ip, large(link.GSOUDP+1, 60, 60000, 1440), link.ErrOffload},
		{"one for a device that cannot", ethernet, large(link.GSOTCP6, 60, 1000, 500), link.ErrOffload},
		{"a partial checksum", ip, link.Frame{Checksum: link.ChecksumPartial}, nil},
		{"one for a device that cannot", ethernet, link.Frame{Checksum: link.ChecksumPartial}, link.ErrOffload},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.info.Check(&tt.frame); err != tt.want {
				t.Errorf("Check = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestMedium(t *testing.T) {
	if link.IP.HeaderLen() != 0 || link.Ethernet.HeaderLen() != 14 {
		t.Errorf("headers of %d and %d bytes", link.IP.HeaderLen(), link.Ethernet.HeaderLen())
	}
	if link.IP.String() != "IP" || link.Ethernet.String() != "Ethernet" {
		t.Errorf("media named %v and %v", link.IP, link.Ethernet)
	}
}

func TestCheckAll(t *testing.T) {
	info := link.Info{MTU: 100}
	ok, long := link.Frame{Payload: make([]byte, 100)}, link.Frame{Payload: make([]byte, 101)}
	for _, tt := range []struct {
		frames []link.Frame
		good   int
		err    error
	}{
		{nil, 0, nil},
		{[]link.Frame{ok, ok}, 2, nil},
		{[]link.Frame{ok, long, ok}, 1, link.ErrTooLong},
		{[]link.Frame{long}, 0, link.ErrTooLong},
	} {
		if good, err := info.CheckAll(tt.frames); good != tt.good || err != tt.err {
			t.Errorf("CheckAll of %d frames = %d, %v; want %d, %v", len(tt.frames), good, err, tt.good, tt.err)
		}
	}
}

func TestOffloadOfALargeFrame(t *testing.T) {
	for gso, want := range map[link.GSO]link.Offload{
		link.GSONone:    0,
		link.GSOTCP4:    link.OffloadTCP4 | link.OffloadChecksum,
		link.GSOTCP6:    link.OffloadTCP6 | link.OffloadChecksum,
		link.GSOUDP:     link.OffloadUDP | link.OffloadChecksum,
		link.GSOUDP + 1: 0,
	} {
		if got := gso.Offload(); got != want {
			t.Errorf("kind %d needs %#x, want %#x", gso, got, want)
		}
	}
}
