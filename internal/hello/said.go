package hello

// MaxHello is how long what names a server may be: a ClientHello, a head. A
// ClientHello with keys that resist quantum computers has about 2 KiB; heads of
// requests with large cookies reach 16.
const MaxHello = 32 << 10

// A Kind is a protocol that names its server.
type Kind uint8

// The kinds. The zero value is any other protocol.
const (
	Unknown Kind = iota
	TLS
	HTTP
	HTTP2
	QUIC
)

// String is the protocol's name.
func (k Kind) String() string {
	return [...]string{"unknown", "TLS", "HTTP", "HTTP/2", "QUIC"}[k]
}

// Said is what a client has said.
type Said struct {
	Kind Kind
	// Names are those of the server, as they were written, without a port. There
	// are none if the client did not say, and two where a request says two.
	Names []string
	// ECH is that the client may have said another name that only the server can
	// read.
	ECH bool
	// Problem is why there is no telling what a server would make of it, for
	// people: "the ClientHello is cut off". Empty if there is none.
	Problem string
}

// A reader takes integers and vectors off the front of b. After it ran out, bad
// is set and it yields zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.b, r.bad = nil, true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// uint is a big-endian number of n bytes, at most 4.
func (r *reader) uint(n int) int {
	v := 0
	for _, c := range r.take(n) {
		v = v<<8 | int(c)
	}
	return v
}

// vector is one whose length stands before it in n bytes.
func (r *reader) vector(n int) reader {
	return reader{b: r.take(r.uint(n)), bad: r.bad}
}
