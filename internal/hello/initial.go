package hello

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
)

// A protocol is what differs between versions: RFC 9001 5.2 and RFC 9369 3.3.
type protocol struct {
	salt  []byte
	label string
}

var protocols = map[uint32]protocol{
	quic1: {
		salt: []byte{
			0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
			0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a,
		},
		label: "quic",
	},
	quic2: {
		salt: []byte{
			0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
			0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9,
		},
		label: "quicv2",
	},
}

// keys open the Initial packets of a client: anyone can derive them from the
// first identifier of its connection.
type keys struct {
	version uint32
	aead    cipher.AEAD
	iv      []byte
	header  cipher.Block
}

// newKeys derives keys, RFC 9001 5.2. The version is one of protocols.
func newKeys(version uint32, id []byte) keys {
	p := protocols[version]
	// HKDF fails only where what is asked for is too long.
	first, _ := hkdf.Extract(sha256.New, id, p.salt)
	client := expand(first, "client in", sha256.Size)
	return keys{
		version: version,
		aead:    newGCM(expand(client, p.label+" key", 16)),
		iv:      expand(client, p.label+" iv", 12),
		header:  newAES(expand(client, p.label+" hp", 16)),
	}
}

// expand is HKDF-Expand-Label with an empty context, RFC 8446 7.1.
func expand(secret []byte, label string, length int) []byte {
	label = "tls13 " + label
	info := append([]byte{byte(length >> 8), byte(length), byte(len(label))}, label...)
	key, _ := hkdf.Expand(sha256.New, secret, string(append(info, 0)), length)
	return key
}

func newAES(key []byte) cipher.Block {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only for a wrong length, which expand does not make
	}
	return block
}

func newGCM(key []byte) cipher.AEAD {
	aead, err := cipher.NewGCM(newAES(key))
	if err != nil {
		panic(err) // only for a block of another size than that of AES
	}
	return aead
}

// open removes the protection of a packet, RFC 9001 5.3 and 5.4.2. The packet is
// left as it is.
func (k *keys) open(p *packet) (payload []byte, ok bool) {
	sample := p.number + 4
	if p.version != k.version || len(p.bytes) < sample+sampleLength {
		return nil, false
	}
	var mask [aes.BlockSize]byte
	k.header.Encrypt(mask[:], p.bytes[sample:sample+sampleLength])
	first := p.bytes[0] ^ mask[0]&0x0f
	length := int(first&3) + 1
	header := append([]byte(nil), p.bytes[:p.number+length]...)
	header[0] = first
	var number [8]byte
	for i := range length {
		header[p.number+i] ^= mask[1+i]
		number[8-length+i] = header[p.number+i]
	}
	nonce := append([]byte(nil), k.iv...)
	tail := nonce[len(nonce)-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^binary.BigEndian.Uint64(number[:]))
	payload, err := k.aead.Open(nil, nonce, p.bytes[p.number+length:], header)
	return payload, err == nil
}
