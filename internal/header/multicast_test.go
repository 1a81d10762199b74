package header

import (
	"testing"
	"time"
)

func TestFloatingPointCodes(t *testing.T) {
	for _, tt := range []struct {
		value, code8, code16 int
	}{
		{-1, 0, 0},
		{0, 0, 0},
		{127, 127, 127},
		{128, 0x80, 128},
		{135, 0x80, 135},
		{136, 0x81, 136},
		{31744, 0xff, 31744},
		{1 << 20, 0xff, 0xd000},
		{32768, 0xff, 0x8000},
		{8387584, 0xff, 0xffff},
		{1 << 30, 0xff, 0xffff},
	} {
		if got := encodeFloat8(tt.value); int(got) != tt.code8 {
			t.Errorf("%d in 8 bits: %#x, want %#x", tt.value, got, tt.code8)
		}
		if got := encodeFloat16(tt.value); int(got) != tt.code16 {
			t.Errorf("%d in 16 bits: %#x, want %#x", tt.value, got, tt.code16)
		}
	}
}

func TestEveryCodeDecodesToTheNumberThatItEncodes(t *testing.T) {
	last := -1
	for code := range 256 {
		v := decodeFloat8(uint8(code))
		if v <= last || int(encodeFloat8(v)) != code || int(encodeFloat8(v+1)) < code {
			t.Errorf("8 bits: code %#x is %d, after %d", code, v, last)
		}
		last = v
	}
	last = -1
	for code := range 65536 {
		v := decodeFloat16(uint16(code))
		if v <= last || int(encodeFloat16(v)) != code {
			t.Fatalf("16 bits: code %#x is %d, after %d", code, v, last)
		}
		last = v
	}
}

func TestMessageTypeOfIGMP(t *testing.T) {
	if typ, err := IGMPType(sample("igmp leave")); typ != IGMPTypeV2Leave || err != nil {
		t.Errorf("%#x, %v", typ, err)
	}
}

func TestAuxiliaryDataArePassedOver(t *testing.T) {
	b := sample("igmp v3 report")
	// The first record has no sources: give it one word of auxiliary data, made
	// of the second record's first word, which moves up.
	b = append(b[:16], append([]byte{0xde, 0xad, 0xbe, 0xef}, b[16:]...)...)
	b[9] = 1
	fixIGMP(b)
	var got IGMPv3Report
	if _, err := got.Parse(b); err != nil || len(got.Records) != 2 || got.Records[1].Group != addr("232.1.1.1") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestQueryTimesAreNeverLongerThanAsked(t *testing.T) {
	q := IGMPQuery{Version: 3, MaxResp: 12900 * time.Millisecond, QQI: 200 * time.Second}
	var got IGMPQuery
	if _, err := got.Parse(q.Append(nil)); err != nil || got.MaxResp != 12800*time.Millisecond || got.QQI != 200*time.Second {
		t.Errorf("%+v, %v", got, err)
	}
	// A code of 0 would make the query one of version 1.
	q = IGMPQuery{Version: 2}
	if _, err := got.Parse(q.Append(nil)); err != nil || got.Version != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}
