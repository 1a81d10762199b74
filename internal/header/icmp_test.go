package header

import (
	"bytes"
	"testing"
)

func TestFieldsOfICMP(t *testing.T) {
	var h ICMP
	h.SetID(0x1234)
	h.SetSeq(0x5678)
	if h.Rest != [4]byte{0x12, 0x34, 0x56, 0x78} || h.ID() != 0x1234 || h.Seq() != 0x5678 {
		t.Errorf("echo: %x", h.Rest)
	}
	h = ICMP{}
	h.SetMTU(70000)
	if h.Rest != [4]byte{0, 1, 0x11, 0x70} || h.MTU() != 70000 {
		t.Errorf("MTU: %x", h.Rest)
	}
	h = ICMP{}
	h.SetMTU4(1400)
	if h.Rest != [4]byte{0, 0, 5, 0x78} || h.MTU4() != 1400 {
		t.Errorf("MTU of IPv4: %x", h.Rest)
	}
	h = ICMP{}
	h.SetPointer(40)
	if h.Rest != [4]byte{0, 0, 0, 40} || h.Pointer() != 40 {
		t.Errorf("pointer: %x", h.Rest)
	}
	h = ICMP{}
	h.SetPointer4(20)
	if h.Rest != [4]byte{20} || h.Pointer4() != 20 {
		t.Errorf("pointer of IPv4: %x", h.Rest)
	}
	h = ICMP{Type: ICMPv4Redirect, Rest: [4]byte{10, 0, 0, 1}}
	if h.Gateway() != addr("10.0.0.1") {
		t.Errorf("gateway: %v", h.Gateway())
	}
}

func TestWhichTypesAreErrors(t *testing.T) {
	for typ := range 256 {
		h := ICMP{Type: uint8(typ)}
		want := typ == 3 || typ == 4 || typ == 5 || typ == 11 || typ == 12
		if h.IsError4() != want {
			t.Errorf("ICMPv4 type %d: %v", typ, !want)
		}
		if h.IsError6() != (typ < 128) {
			t.Errorf("ICMPv6 type %d: %v", typ, h.IsError6())
		}
	}
}

func TestQuotedPacketEndsWhereExtensionsBegin(t *testing.T) {
	body := randomBytes(200)
	for _, tt := range []struct {
		name string
		h    ICMP
		v6   bool
		want int
	}{
		{"v4 without extensions", ICMP{Type: 3}, false, 200},
		{"v4 with", ICMP{Type: 3, Rest: [4]byte{0, 32}}, false, 128},
		{"v4 below the minimum: no extensions", ICMP{Type: 11, Rest: [4]byte{0, 5}}, false, 200},
		{"v4 beyond the end", ICMP{Type: 12, Rest: [4]byte{0, 51}}, false, 200},
		{"v4 type without length field", ICMP{Type: 5, Rest: [4]byte{10, 32, 0, 1}}, false, 200},
		{"v6 with", ICMP{Type: 1, Rest: [4]byte{16}}, true, 128},
		{"v6 whose first bytes are an MTU", ICMP{Type: 2, Rest: [4]byte{16}}, true, 200},
		{"v6 beyond the end", ICMP{Type: 3, Rest: [4]byte{255}}, true, 200},
	} {
		got := tt.h.Quoted4(body)
		if tt.v6 {
			got = tt.h.Quoted6(body)
		}
		if !bytes.Equal(got, body[:tt.want]) {
			t.Errorf("%s: %d bytes, want %d", tt.name, len(got), tt.want)
		}
	}
}

func TestChecksumsOfICMP(t *testing.T) {
	h := ICMP{Type: ICMPv4EchoRequest, Checksum: 0xffff}
	b := h.Append(nil)
	b = append(b, "odd"...)
	PutICMPv4Checksum(b)
	if Fold(Sum(b, 0)) != 0 {
		t.Error("ICMPv4: wrong checksum")
	}
	src, dst := addr("fe80::1"), addr("ff02::2")
	PutICMPv6Checksum(b, src, dst)
	if Fold(Sum(b, PseudoSum(src, dst, ProtocolICMPv6, len(b)))) != 0 {
		t.Error("ICMPv6: wrong checksum")
	}
}

func TestQuotedPacketsMayBeCut(t *testing.T) {
	b := sample("ipv4")
	b[10]++ // a router may have left the checksum as it was
	var h IPv4
	if rest, err := h.ParseQuoted(b[:28]); err != nil || len(rest) != 8 || h.PayloadLen != 30 {
		t.Errorf("IPv4: %d bytes, %+v, %v", len(rest), h, err)
	}
	if rest, err := h.ParseQuoted(append(b, "padding"...)); err != nil || len(rest) != 30 {
		t.Errorf("IPv4 with padding: %d bytes, %v", len(rest), err)
	}
	var h6 IPv6
	if rest, err := h6.ParseQuoted(sample("ipv6")[:44]); err != nil || len(rest) != 4 || h6.PayloadLen != 11 {
		t.Errorf("IPv6: %d bytes, %+v, %v", len(rest), h6, err)
	}
}
