package script

import (
	"encoding/binary"
	"net/netip"

	"example.com/berth/internal/siphash"
)

// cookieKeys are the words that stand for cookies of Fast Open, with the key that a
// server makes them with: that of defaults.sh, and one of zeros. They are words of
// packetdrill.
var cookieKeys = map[string]siphash.Key{
	"TFO_COOKIE":      {K0: 0xb2b2b2b2_a1a1a1a1, K1: 0xd4d4d4d4_c3c3c3c3},
	"TFO_COOKIE_ZERO": {},
}

const cookieLen = 8

// serverCookie is the cookie that a word stands for between two hosts, made as
// Linux makes it.
func serverCookie(word string, client, server netip.Addr) (b [cookieLen]byte) {
	binary.LittleEndian.PutUint64(b[:], siphash.Sum64(cookieKeys[word], append(client.AsSlice(), server.AsSlice()...)))
	return b
}

// resolved is an option with what a word in it stands for in a flow.
func (o tcpOption) resolved(f *flow) tcpOption {
	if o.word != "" {
		c := serverCookie(o.word, f.remote.Addr(), f.local.Addr())
		o.data = append(o.data[:len(o.data)-cookieLen:len(o.data)-cookieLen], c[:]...)
	}
	return o
}
