package gateway

import (
	"time"

	"example.com/berth/internal/policy"
)

// What is held back of a flow until its Hello is done: bytes, datagrams, and the
// time that the program may take for it once it has begun to speak.
const (
	maxHello      = 64 << 10
	maxHelloGrams = 16
	helloPatience = 15 * time.Second
)

// Why a flow is denied that its Hello could not judge.
const (
	tooLong  = "what it says first is longer than can be inspected"
	tooSlow  = "what it says first took too long"
	tooShort = "it ended before what it says could be inspected"
)

// inspect holds back what the program says until the Hello has judged it, and then
// sends it on.
func (s *splice) inspect() error {
	held := make([]byte, 0, 2048)
	for {
		b, n, err := receive(s.in)
		if err != nil {
			return denyLate(s.f, err)
		}
		if n == 0 {
			if len(held) == 0 { // it says nothing: nothing to judge
				return nil
			}
			return s.f.denied(tooShort)
		}
		if len(held) == 0 {
			_ = s.in.SetReadDeadline(time.Now().Add(helloPatience))
		}
		done, verdict := s.hello.Feed(b[:n])
		held = append(held, b[:n]...)
		buffers.Put(b)
		switch {
		case done && !verdict.Allow:
			return &denial{verdict}
		case done:
			s.f.verdict = verdict
			_ = s.in.SetReadDeadline(time.Time{})
			_, err := s.write(held)
			return err
		case len(held) >= maxHello:
			return s.f.denied(tooLong)
		}
	}
}

// denied is a denial for a reason of the gateway's own.
func (f *flow) denied(reason string) error {
	return &denial{policy.Verdict{Rule: f.verdict.Rule, Name: f.verdict.Name, Reason: reason}}
}

// denyLate makes a denial of the end of the program's time.
func denyLate(f *flow, err error) error {
	if isTimeout(err) {
		return f.denied(tooSlow)
	}
	return err
}

// heldGrams are the datagrams that are held back until the Hello has judged them.
type heldGrams struct {
	hello Hello
	grams [][]byte
	bytes int
}

// take judges one more datagram. Once the verdict is in, pass has what may go on.
func (h *heldGrams) take(f *flow, b []byte) (pass [][]byte, done bool, err error) {
	done, verdict := h.hello.Feed(b)
	h.grams = append(h.grams, append([]byte(nil), b...))
	h.bytes += len(b)
	switch {
	case done && !verdict.Allow:
		return nil, true, &denial{verdict}
	case done:
		f.verdict = verdict
		return h.grams, true, nil
	case h.bytes >= maxHello || len(h.grams) >= maxHelloGrams:
		return nil, true, f.denied(tooLong)
	}
	return nil, false, nil
}

// isTimeout tells whether a call ended because its time was over.
func isTimeout(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}
