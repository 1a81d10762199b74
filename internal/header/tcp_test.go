package header

import (
	"bytes"
	"testing"
)

func TestTCPFlagsString(t *testing.T) {
	for _, tt := range []struct {
		flags TCPFlags
		want  string
	}{
		{0, "."},
		{SYN, "S"},
		{SYN | ACK, "SA"},
		{FIN | ACK, "FA"},
		{RST, "R"},
		{PSH | ACK | URG, "PAU"},
		{SYN | ECE | CWR | AE, "SEWN"},
	} {
		if got := tt.flags.String(); got != tt.want {
			t.Errorf("%#x: %q, want %q", uint16(tt.flags), got, tt.want)
		}
	}
	if !(SYN | ACK).Has(SYN) || SYN.Has(SYN|ACK) {
		t.Error("Has means all of them")
	}
}

func TestReservedBitsOfTCPAreIgnored(t *testing.T) {
	b := sample("tcp")
	b[12] |= 0x0e
	var h TCP
	if _, err := h.Parse(b); err != nil || h.Flags != ACK|PSH {
		t.Errorf("flags %v, %v", h.Flags, err)
	}
}

// The layouts of Linux, which other stacks' fast paths expect. Each option but NOP
// has its length (MUST-68), and nothing stands behind the last one (MUST-69).
func TestTCPOptionsAreLaidOutAsOnLinux(t *testing.T) {
	block := SACKBlock{Left: 0x01020304, Right: 0x05060708}
	blocks := [4]SACKBlock{block, block, block, block}
	const (
		ts    = "\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x02"
		zeros = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
		sack  = "\x01\x02\x03\x04\x05\x06\x07\x08"
	)
	for _, tt := range []struct {
		name    string
		options TCPOptions
		want    string
	}{
		{"none", TCPOptions{}, ""},
		{
			"SYN of Linux",
			TCPOptions{MSS: 1460, SACKPermitted: true, HasTS: true, TSVal: 1, TSEcr: 2, HasWScale: true, WScale: 7},
			"\x02\x04\x05\xb4" + "\x04\x02" + ts + "\x01\x03\x03\x07",
		},
		{"SACK permitted alone", TCPOptions{SACKPermitted: true}, "\x01\x01\x04\x02"},
		{"window scale 0", TCPOptions{HasWScale: true}, "\x01\x03\x03\x00"},
		{"timestamps", TCPOptions{HasTS: true, TSVal: 1, TSEcr: 2}, "\x01\x01" + ts},
		{"request for a cookie", TCPOptions{FastOpen: FastOpen{Present: true}}, "\x22\x02\x01\x01"},
		{
			"experimental request for a cookie",
			TCPOptions{FastOpen: FastOpen{Present: true, Experimental: true}},
			"\xfe\x04\xf9\x89",
		},
		{
			"MD5 signature",
			TCPOptions{Auth: TCPAuth{Kind: TCPAuthMD5, Len: 16}, MSS: 1460},
			"\x01\x01\x13\x12" + zeros[:16] + "\x02\x04\x05\xb4",
		},
		{
			"TCP-AO before timestamps and a block",
			TCPOptions{Auth: TCPAuth{Kind: TCPAuthAO, KeyID: 7, RNextKeyID: 9, Len: 12}, HasTS: true, TSVal: 1, TSEcr: 2, SACK: blocks, SACKCount: 4},
			"\x1d\x10\x07\x09" + zeros[:12] + "\x01\x01" + ts + "\x01\x01\x05\x0a" + sack,
		},
		{
			"TCP-AO with padding",
			TCPOptions{Auth: TCPAuth{Kind: TCPAuthAO, KeyID: 7, RNextKeyID: 9, Len: 13}},
			"\x1d\x11\x07\x09" + zeros[:13] + "\x01\x01\x01",
		},
		{
			"cookie of 8 bytes",
			TCPOptions{FastOpen: FastOpen{Present: true, Len: 8, Cookie: [16]byte{1, 2, 3, 4, 5, 6, 7, 8}}},
			"\x22\x0a\x01\x02\x03\x04\x05\x06\x07\x08\x01\x01",
		},
		{"one block", TCPOptions{SACK: blocks, SACKCount: 1}, "\x01\x01\x05\x0a" + sack},
		{"four blocks", TCPOptions{SACK: blocks, SACKCount: 4}, "\x01\x01\x05\x22" + sack + sack + sack + sack},
		{
			"with timestamps there is room for three",
			TCPOptions{HasTS: true, TSVal: 1, TSEcr: 2, SACK: blocks, SACKCount: 4},
			"\x01\x01" + ts + "\x01\x01\x05\x1a" + sack + sack + sack,
		},
	} {
		got := tt.options.Append(nil)
		if string(got) != tt.want {
			t.Errorf("%s: %x, want %x", tt.name, got, tt.want)
		}
		if tt.options.Len() != len(tt.want) {
			t.Errorf("%s: Len %d, want %d", tt.name, tt.options.Len(), len(tt.want))
		}
	}
}

func TestTCPOptionsAlwaysFitTheHeader(t *testing.T) {
	for bits := range 16 {
		for blocks := range 6 {
			h := TCP{Options: TCPOptions{
				SACKPermitted: bits&1 != 0, HasTS: bits&2 != 0, HasWScale: bits&4 != 0,
				MSS: uint16(bits & 8), SACKCount: blocks,
			}}
			b := h.Append(nil)
			if len(b) != h.HeaderLen() || len(b) > TCPMaxLen || int(b[12]>>4)*4 != len(b) {
				t.Errorf("%+v: %d bytes, HeaderLen %d, data offset %d", h.Options, len(b), h.HeaderLen(), b[12]>>4)
			}
		}
	}
}

// DEF-17, DEF-57.
func TestTCPOptionsFromTheWire(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    string
		want TCPOptions
	}{
		{"NOPs (MUST-4)", "\x01\x01\x01\x01", TCPOptions{}},
		{"behind the end nothing counts (MUST-4)", "\x00\x02\x04\x05\xb4\x00\x00\x00", TCPOptions{}},
		{"unknown are passed over (MUST-6)", "\xfd\x04ab\x02\x04\x02\x18", TCPOptions{MSS: 536}},
		{"unknown without content (MUST-6, MUST-64)", "\xfd\x02\x04\x02", TCPOptions{SACKPermitted: true}},
		{"timestamps unaligned", "\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x02\x01\x01", TCPOptions{HasTS: true, TSVal: 1, TSEcr: 2}},
		{"cookie that is too short", "\x22\x04ab", TCPOptions{}},
		{"cookie that is too long", "\x22\x1400112233445566778\x01", TCPOptions{}},
		{"cookie of an odd length", "\x22\x07abcde\x01", TCPOptions{}},
		{"experiment of somebody else", "\xfe\x04\xf9\x88", TCPOptions{}},
		{"experiment of nobody", "\xfe\x03\xf9\x01", TCPOptions{}},
		{"cookie", "\x22\x06abcd\x01\x01", TCPOptions{FastOpen: FastOpen{Present: true, Len: 4, Cookie: [16]byte{'a', 'b', 'c', 'd'}}}},
		{"experimental cookie", "\xfe\x08\xf9\x89abcd", TCPOptions{FastOpen: FastOpen{Present: true, Experimental: true, Len: 4, Cookie: [16]byte{'a', 'b', 'c', 'd'}}}},
		{"MD5 signature", "\x01\x13\x120123456789abcdef\x01", TCPOptions{Auth: TCPAuth{Kind: TCPAuthMD5, Len: 16, At: 23}}},
		{"MD5 signature that is too short", "\x13\x110123456789abcde\x01\x01\x01", TCPOptions{Auth: TCPAuth{Kind: TCPAuthInvalid}}},
		{"TCP-AO", "\x02\x04\x00\x02\x1d\x10\x07\x090123456789ab", TCPOptions{MSS: 2, Auth: TCPAuth{Kind: TCPAuthAO, KeyID: 7, RNextKeyID: 9, Len: 12, At: 28}}},
		{"TCP-AO without code", "\x1d\x04\x07\x09", TCPOptions{Auth: TCPAuth{Kind: TCPAuthAO, KeyID: 7, RNextKeyID: 9, At: 24}}},
		{"TCP-AO that is too short", "\x1d\x03\x07\x01", TCPOptions{Auth: TCPAuth{Kind: TCPAuthInvalid}}},
		{"TCP-AO twice (RFC 5925 2.2)", "\x1d\x04\x07\x09\x1d\x04\x07\x09", TCPOptions{Auth: TCPAuth{Kind: TCPAuthInvalid}}},
		{"TCP-AO and an MD5 signature", "\x1d\x04\x07\x09\x13\x120123456789abcdef\x01\x01", TCPOptions{Auth: TCPAuth{Kind: TCPAuthInvalid}}},
		{"TCP-AO cut off", "\x01\x01\x01\x01\x1d\x10\x07\x09", TCPOptions{Malformed: true}},
		{"MSS of 0", "\x02\x04\x00\x00", TCPOptions{}},
		{"the last of two counts", "\x02\x04\x00\x01\x02\x04\x00\x02", TCPOptions{MSS: 2}},
		{"window scale beyond 14", "\x01\x03\x03\xff", TCPOptions{HasWScale: true, WScale: 255}},
		{"length 0 (MUST-7)", "\x04\x02\x02\x00\x05\xb4\x00\x00", TCPOptions{SACKPermitted: true, Malformed: true}},
		{"length 1 (MUST-7)", "\xfd\x01\x04\x02", TCPOptions{Malformed: true}},
		{"length 40 in 4 bytes (MUST-7)", "\x02\x28\x05\xb4", TCPOptions{Malformed: true}},
		{"length 255", "\x05\xff\x00\x00", TCPOptions{Malformed: true}},
		{"kind without length", "\x01\x01\x01\x08", TCPOptions{Malformed: true}},
		{"MSS of length 3", "\x02\x03\x05\x01", TCPOptions{}},
		{"window scale of length 2", "\x03\x02\x01\x01", TCPOptions{}},
		{"timestamps of length 8", "\x08\x08\x00\x00\x00\x01\x00\x00", TCPOptions{}},
		{"SACK permitted of length 4", "\x04\x04\x00\x00", TCPOptions{}},
		{"SACK without block", "\x05\x02\x01\x01", TCPOptions{}},
		{"SACK of half a block", "\x05\x06\x00\x00\x00\x01\x01\x01", TCPOptions{}},
		{
			"AccECN, order 0", "\xac\x0b\x00\x00\x01\x00\x02\x00\xff\xff\xff\x01",
			TCPOptions{AccECN: AccECN{Order: AccECN0, Fields: 3, ECT0: 1, CE: 512, ECT1: 0xffffff}},
		},
		{
			"AccECN, order 1, two fields", "\xae\x08\x00\x00\x01\x00\x02\x00",
			TCPOptions{AccECN: AccECN{Order: AccECN1, Fields: 2, CE: 512, ECT1: 1}},
		},
		{"AccECN, half a field (RFC 9768 3.2.3)", "\xac\x07\x00\x00\x01\x00\x02\x01", TCPOptions{AccECN: AccECN{Order: AccECN0, Fields: 1, ECT0: 1}}},
		{"AccECN, empty", "\xac\x02\x04\x02", TCPOptions{SACKPermitted: true, AccECN: AccECN{Order: AccECN0}}},
		{"AccECN, cut off", "\x01\x01\xac\x0b\x00\x00\x01", TCPOptions{Malformed: true}},
		{
			"a second SACK replaces the first",
			"\x05\x12\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x05\x0a\x00\x00\x00\x05\x00\x00\x00\x06",
			TCPOptions{SACK: [4]SACKBlock{{5, 6}}, SACKCount: 1},
		},
	} {
		b := append(make([]byte, TCPMinLen), tt.b...)
		b[12] = uint8(len(b)/4) << 4
		h := TCP{Options: TCPOptions{MSS: 9, HasTS: true, SACKCount: 4, Malformed: true}}
		if _, err := h.Parse(b); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if h.Options != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, h.Options, tt.want)
		}
	}
}

func TestAppendStaysWithinItsSpace(t *testing.T) {
	h := TCP{Options: TCPOptions{HasTS: true, MSS: 1, SACKPermitted: true, HasWScale: true}}
	space := bytes.Repeat([]byte{0xaa}, 64)
	h.Append(space[:0])
	if !bytes.Equal(space[h.HeaderLen():], bytes.Repeat([]byte{0xaa}, 64-h.HeaderLen())) {
		t.Error("bytes behind the header were touched")
	}
}
