package hello

// A Stream reads the first bytes of a connection. The zero value is at its
// beginning.
type Stream struct {
	buf  []byte
	need int // how long buf must be before it is worth another look
	said Said
	done bool

	request bool // the first line is that of an HTTP request
	scanned int  // of its head: no end is before
}

// Feed takes what comes next, and tells whether there is an answer. After that it
// does nothing.
func (s *Stream) Feed(b []byte) (done bool) {
	if s.done {
		return true
	}
	// The byte beyond the limit tells that it is passed.
	s.buf = append(s.buf, b[:min(len(b), MaxHello+1-len(s.buf))]...)
	if len(s.buf) < s.need {
		return false
	}
	said, need := s.read()
	if need > len(s.buf) && len(s.buf) > MaxHello {
		said, need = Said{Kind: said.Kind, Problem: "there is no end to what the client says first"}, 0
	}
	if s.need = need; need <= len(s.buf) {
		s.finish(said)
	}
	return s.done
}

// End is to be called where nothing more comes, because the client is silent or
// has closed its side. What is unfinished is a Problem.
func (s *Stream) End() {
	if s.done {
		return
	}
	if len(s.buf) == 0 {
		s.finish(Said{})
		return
	}
	said, _ := s.read()
	s.finish(Said{Kind: said.Kind, Problem: "what the client says first is cut off"})
}

// Said is the answer once there is one.
func (s *Stream) Said() Said { return s.said }

func (s *Stream) finish(said Said) {
	s.said, s.done, s.buf = said, true, nil
}

// read looks at what there is. Need is the length that there must be to say more,
// or 0 if said is the answer.
func (s *Stream) read() (said Said, need int) {
	if len(s.buf) == 0 {
		return Said{}, 1
	}
	if said, need, ok := readTLS(s.buf); ok {
		return said, need
	}
	if said, need, ok := readHTTP2(s.buf); ok {
		return said, need
	}
	return s.readHTTP()
}
