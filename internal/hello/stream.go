package hello

// A Stream reads what a client sends on a connection, for as long as it may name a
// server. The zero value is at the beginning.
//
// It goes from stage to stage: the beginning, which tells protocols apart, and what
// comes after that in each. A stage takes what it can off the front of buf.
type Stream struct {
	stage stage  // nil: begin
	buf   []byte // what has come and was not read yet
	need  int    // how long buf must be before it is worth another look
	skip  int64  // bytes that come and are of no interest; buf is empty then

	said    []Said // since Feed was called
	kind    Kind   // of the protocol that is being read
	problem string
	over    bool

	block   []byte   // a message of a handshake, or a block of headers, so far
	count   int      // of records or frames that it came in
	names   []string // of the first ClientHello
	early   bool     // it offered early data
	scanned int      // of the head of a request: no end is before
	streams uint32   // of HTTP/2: the last that was begun
	fields  *fields  // of HTTP/2
}

// A stage reads on, and tells whether another look may find more.
type stage func(*Stream) bool

// Feed takes what comes next. If wait is true, it and what had to wait before are to
// be held back. Said is what has been heard by it: a ClientHello, or a request, each;
// after a Problem there is nothing but that.
func (s *Stream) Feed(b []byte) (said []Said, wait bool) {
	s.said = nil
	for len(b) > 0 && !s.over {
		if n := min(s.skip, int64(len(b))); n > 0 {
			s.skip -= n
			b = b[n:]
			continue
		}
		// The byte beyond the limit tells that it is passed.
		n := min(len(b), max(MaxHello+1-len(s.buf), 1))
		s.buf = append(s.buf, b[:n]...)
		b = b[n:]
		s.read()
	}
	if s.problem != "" && s.said == nil {
		s.said = []Said{{Kind: s.kind, Problem: s.problem}}
	}
	return s.said, !s.over && s.partial()
}

// Over tells whether all has been heard that there will be: what follows is encrypted,
// or another protocol's, or there was a Problem.
func (s *Stream) Over() bool { return s.over }

// End is to be called where nothing more comes, because the client is silent or has
// closed its side. What is unfinished is a Problem.
func (s *Stream) End() (said []Said) {
	switch {
	case s.problem != "":
		return []Said{{Kind: s.kind, Problem: s.problem}}
	case s.over || !s.partial():
		return nil
	}
	s.said = nil
	s.fail("what the client says is cut off")
	return s.said
}

// partial tells whether there is something whose end has not come.
func (s *Stream) partial() bool { return len(s.buf) > 0 || len(s.block) > 0 }

func (s *Stream) read() {
	for len(s.buf) > 0 && len(s.buf) >= s.need && !s.over {
		if s.stage == nil {
			s.stage = (*Stream).begin
		}
		s.need = 0
		if !s.stage(s) {
			break
		}
	}
	switch {
	case s.over || len(s.buf) == 0:
		s.buf = nil // who waits for a client holds nothing
	case len(s.buf) > MaxHello:
		s.fail("there is no end to what the client says")
	}
}

// begin tells protocols apart, at the beginning of a connection or of a tunnel.
func (s *Stream) begin() bool {
	switch {
	case maybeTLS(s.buf):
		if s.kind = TLS; len(s.buf) == 1 {
			return s.more(2)
		}
		s.stage = (*Stream).firstHello
	case maybeHTTP2(s.buf):
		s.kind, s.stage = HTTP2, (*Stream).preface
	default:
		return s.request(true)
	}
	return true
}

// next takes n bytes off the front, and goes on with a stage.
func (s *Stream) next(n int, then stage) bool {
	s.buf, s.stage = s.buf[n:], then
	return true
}

// pass has n bytes go by, that have come or will come.
func (s *Stream) pass(n int64) {
	have := min(n, int64(len(s.buf)))
	s.buf, s.skip = s.buf[have:], n-have
}

// more waits until there are n bytes.
func (s *Stream) more(n int) bool {
	s.need = n
	return false
}

// say has heard something.
func (s *Stream) say(said Said) bool {
	said.Kind = s.kind
	if said.Problem != "" {
		return s.fail(said.Problem)
	}
	s.said = append(s.said, said)
	return true
}

// fail ends all with a Problem.
func (s *Stream) fail(problem string) bool {
	s.problem = problem
	s.said = append(s.said, Said{Kind: s.kind, Problem: problem})
	return s.end()
}

// end has heard all.
func (s *Stream) end() bool {
	s.over, s.buf, s.block, s.fields = true, nil, nil, nil
	return false
}
