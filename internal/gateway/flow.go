package gateway

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/berth"
	"example.com/berth/internal/policy"
)

// A flow is one that the gateway carries, or is to judge.
type flow struct {
	g              *Gateway
	id             uint64
	what           policy.Flow
	verdict        policy.Verdict
	inwards        bool
	begun          time.Time
	sent, received atomic.Int64
}

// allowed asks the Judge, and tells what he refuses.
func (f *flow) allowed() bool {
	if f.g.cfg.Judge == nil {
		f.verdict.Allow = true
		return true
	}
	f.verdict = f.g.cfg.Judge.Decide(f.begun, f.what)
	if !f.verdict.Allow {
		f.tell(Denied, nil)
	}
	return f.verdict.Allow
}

// tell reports an event.
func (f *flow) tell(kind Kind, err error) {
	if f.g.cfg.Observe == nil {
		return
	}
	now := time.Now()
	f.g.cfg.Observe(Event{
		Kind: kind, Time: now, ID: f.id, Flow: f.what, Verdict: f.verdict, Inwards: f.inwards,
		Sent: f.sent.Load(), Received: f.received.Load(), Duration: now.Sub(f.begun), Err: err,
	})
}

// answer tells the program's host why a flow cannot begin, in the form in which it
// would have heard it from the world itself.
func answer(bf *berth.Flow, err error) {
	var errno syscall.Errno
	switch timeout, _ := errors.AsType[interface {
		error
		Timeout() bool
	}](err); {
	case errors.Is(err, context.Canceled):
		bf.Drop()
	case errors.As(err, &errno):
		answerErrno(bf, errno)
	case timeout != nil && timeout.Timeout():
		bf.Drop() // as silent as the world was
	default:
		bf.Unreachable(syscall.EHOSTUNREACH)
	}
}

func answerErrno(bf *berth.Flow, errno syscall.Errno) {
	if errno == syscall.EADDRNOTAVAIL && bf.Dst.Addr().Is6() {
		errno = syscall.ENETUNREACH // the system has no address of IPv6; of IPv4 it lacks a port
	}
	switch errno {
	case syscall.ECONNREFUSED, syscall.ECONNRESET:
		bf.Refuse()
	case syscall.ETIMEDOUT, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.EAGAIN, syscall.EADDRNOTAVAIL:
		bf.Drop() // what is missing here may be there when it tries again
	case syscall.EACCES, syscall.EPERM:
		bf.Prohibit()
	case syscall.ENETUNREACH, syscall.EAFNOSUPPORT, syscall.ENETDOWN:
		bf.Unreachable(syscall.ENETUNREACH)
	default:
		bf.Unreachable(syscall.EHOSTUNREACH)
	}
}
