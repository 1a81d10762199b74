package peers

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"math/rand/v2"
)

// content is size bytes that look random and are the same each time.
func content(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{'b', 'e', 'r', 't', 'h'}), size)
}

// A digest is a writer that keeps only the SHA-256 and the length of what came.
type digest struct {
	hash.Hash
	n int64
}

func newDigest() *digest { return &digest{Hash: sha256.New()} }

func (d *digest) Write(b []byte) (int, error) {
	d.n += int64(len(b))
	return d.Hash.Write(b)
}

func (d *digest) String() string { return hex.EncodeToString(d.Sum(nil)) }

// contentHash is what a digest of content(size) shows.
func contentHash(size int64) string {
	d := newDigest()
	if _, err := io.Copy(d, content(size)); err != nil {
		panic(err) // ChaCha8 does not fail, nor does SHA-256
	}
	return d.String()
}

// contentBytes is all of content(size).
func contentBytes(size int64) []byte {
	b, err := io.ReadAll(content(size))
	if err != nil {
		panic(err) // ChaCha8 does not fail
	}
	return b
}
