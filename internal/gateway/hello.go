package gateway

import (
	"time"

	"example.com/berth/internal/policy"
)

// What is held back of a flow until its Hello is done: bytes and datagrams.
const (
	maxHello      = policy.MaxHello + bufferSize
	maxHelloGrams = 128
)

// helloPatience is the time that the program may take for the rest of what is held
// back. Tests shorten it.
var helloPatience = 15 * time.Second

// tooLong is why a flow is denied that says more than its Hello may want to hear.
const tooLong = "what it says is longer than can be inspected"

// inspect holds back what the program says until the Hello has judged it, and sends it
// on then, for as long as the verdict says that more is to be judged.
func (s *splice) inspect() error {
	var held []byte
	for {
		b, n, err := receive(s.in)
		switch {
		case isTimeout(err), n == 0 && err == nil && len(held) > 0:
			_ = s.in.SetReadDeadline(time.Time{})
			_, err = s.judged(s.hello.End(), held)
			return err
		case err != nil:
			return err
		case n == 0: // it says nothing more: there is nothing to judge
			return nil
		}
		done, verdict := s.hello.Feed(b[:n])
		if done && len(held) == 0 {
			more, err := s.judged(verdict, b[:n])
			buffers.Put(b)
			if err != nil || !more {
				return err
			}
			continue
		}
		if len(held) == 0 {
			_ = s.in.SetReadDeadline(time.Now().Add(helloPatience))
		}
		held = append(held, b[:n]...)
		buffers.Put(b)
		switch {
		case done:
			_ = s.in.SetReadDeadline(time.Time{})
			if more, err := s.judged(verdict, held); err != nil || !more {
				return err
			}
			held = nil
		case len(held) >= maxHello:
			return s.f.denied(tooLong)
		}
	}
}

// judged sends on what was held back, if the verdict allows, and tells whether more is
// to be judged.
func (s *splice) judged(v policy.Verdict, held []byte) (more bool, err error) {
	if !v.Allow {
		return false, &denial{v}
	}
	s.f.verdict = v
	_, err = s.write(held)
	return v.Inspect, err
}

// denied is a denial for a reason of the gateway's own.
func (f *flow) denied(reason string) error {
	return &denial{policy.Verdict{Rule: f.verdict.Rule, Name: f.verdict.Name, Reason: reason}}
}

// heldGrams are the datagrams that are held back until the Hello is done with them.
type heldGrams struct {
	hello Hello
	grams [][]byte
	bytes int
}

// take judges one more datagram, and gives send all that may go on.
func (h *heldGrams) take(f *flow, b []byte, send func([]byte)) error {
	done, verdict := h.hello.Feed(b)
	switch {
	case done && !verdict.Allow:
		return &denial{verdict}
	case done:
		f.verdict = verdict
		for _, b := range h.grams {
			send(b)
		}
		h.grams, h.bytes = nil, 0
		send(b)
		return nil
	case h.bytes+len(b) > 4*policy.MaxHello || len(h.grams) >= maxHelloGrams:
		return f.denied(tooLong)
	}
	h.grams = append(h.grams, append([]byte(nil), b...))
	h.bytes += len(b)
	return nil
}

// end judges what is held back when no more comes: it does not go on any more.
func (h *heldGrams) end() error {
	if len(h.grams) == 0 {
		return nil
	}
	if v := h.hello.End(); !v.Allow {
		return &denial{v}
	}
	return nil
}

// isTimeout tells whether a call ended because its time was over.
func isTimeout(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}
