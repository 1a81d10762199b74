package tcpauth

import (
	"crypto/md5"
	"hash"
	"slices"

	"example.com/berth/socket"
)

// MD5 is the algorithm of TCP_MD5SIG: the digest of the segment followed by the
// key (RFC 2385 2.0). It is none for TCP-AO.
var MD5 socket.TCPAlgorithm = md5Algorithm{}

type md5Algorithm struct{}

func (md5Algorithm) Name() string { return "md5" }
func (md5Algorithm) Size() int    { return md5.Size }

func (md5Algorithm) New(key []byte) socket.TCPMAC {
	return &suffixed{h: md5.New(), key: slices.Clone(key)}
}

// suffixed is a digest with the key at the end.
type suffixed struct {
	h   hash.Hash
	key []byte
}

func (s *suffixed) Sum(dst []byte, message [][]byte) []byte {
	s.h.Reset()
	for _, b := range message {
		s.h.Write(b)
	}
	s.h.Write(s.key)
	return s.h.Sum(dst)
}
