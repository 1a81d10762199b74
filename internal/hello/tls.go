package hello

import "slices"

// Of a record, RFC 8446 5.1.
const (
	recordHeader     = 5
	recordCipherSpec = 20
	recordAlert      = 21
	recordHandshake  = 22
	recordData       = 23
	firstRecord      = 20 // change_cipher_spec
	lastRecord       = 24 // heartbeat
	longestRecord    = 1<<14 + 2048

	// maxRecords is in how many a ClientHello may come. Some clients cut it in
	// two or three; each is read again when the next has come.
	maxRecords = 64
)

// maybeTLS tells whether a stream is TLS, as far as it has come.
func maybeTLS(b []byte) bool {
	return b[0] >= firstRecord && b[0] <= lastRecord && (len(b) == 1 || b[1] == 3)
}

// record is the header of the next record, and its body once all of it has come. Ok is
// false where there is no whole header, or one that cannot be.
func (s *Stream) record(problem string) (kind byte, length int, body []byte, ok bool) {
	if len(s.buf) < recordHeader {
		return 0, 0, nil, s.more(recordHeader)
	}
	kind, length = s.buf[0], int(s.buf[3])<<8|int(s.buf[4])
	if s.buf[1] != 3 || length > longestRecord || kind == recordHandshake && length == 0 {
		return 0, 0, nil, s.fail(problem)
	}
	if len(s.buf) >= recordHeader+length {
		body = s.buf[recordHeader : recordHeader+length]
	}
	return kind, length, body, true
}

// firstHello reads records up to the end of the first ClientHello.
func (s *Stream) firstHello() bool {
	const problem = "TLS begins with something else than a ClientHello"
	kind, length, body, ok := s.record(problem)
	switch {
	case !ok:
		return false
	case kind != recordHandshake:
		return s.fail(problem)
	case body == nil:
		return s.more(recordHeader + length)
	}
	s.block = append(s.block, body...)
	s.next(recordHeader+len(body), (*Stream).firstHello)
	said, offers, need := clientHello(s.block)
	switch s.count++; {
	case need > 0 && s.count >= maxRecords:
		return s.fail("the ClientHello is in too many pieces")
	case need > 0:
		return true
	case !s.say(said):
		return false
	case !offers.retry:
		return s.end() // what follows names nobody
	}
	s.names, s.early, s.count = said.Names, offers.early, 0
	s.block = append([]byte(nil), s.block[offers.length:]...)
	s.stage = (*Stream).secondHello
	return s.handshake()
}

// secondHello reads records as long as a second ClientHello can come, which a server
// of TLS 1.3 may ask for (RFC 8446 4.1.4): it is to name the same server, since who
// looks at the second only would be shown another than who looks at the first.
func (s *Stream) secondHello() bool {
	kind, length, body, ok := s.record("a record of TLS is malformed")
	switch {
	case !ok:
		return false
	case len(s.block) > 0 && kind != recordHandshake:
		return s.fail("there is something else between the pieces of a ClientHello")
	case kind == recordCipherSpec, kind == recordAlert,
		kind == recordData && s.early: // which a server that asks again passes over (RFC 8446 4.2.10)
		s.pass(int64(recordHeader + length))
		return true
	case kind != recordHandshake:
		return s.end()
	case body == nil:
		return s.more(recordHeader + length)
	}
	s.block = append(s.block, body...)
	s.next(recordHeader+length, (*Stream).secondHello)
	return s.handshake()
}

// handshake reads what has come after the first ClientHello. What begins like
// another is one, with the major version that all of them have; an encrypted message
// of TLS 1.2, which has no form, is that by chance once in 65536.
func (s *Stream) handshake() bool {
	b := s.block
	switch {
	case len(b) > 0 && b[0] != typeClientHello:
		return s.end() // TLS 1.2 goes on without asking again
	case len(b) < 5:
		return true
	case b[4] != 3:
		return s.end()
	}
	said, _, need := clientHello(b)
	switch s.count++; {
	case need > 0 && s.count >= maxRecords:
		return s.fail("the second ClientHello is in too many pieces")
	case need > 0:
		return true
	case said.Problem == "" && !slices.Equal(said.Names, s.names):
		return s.fail("the second ClientHello says another server name than the first")
	case said.Problem != "":
		return s.fail("the second ClientHello is malformed")
	}
	return s.end() // nobody asks twice
}
