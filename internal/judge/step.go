package judge

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// A Step is one thing that happens in a schedule.
type Step interface {
	fmt.Stringer
	// do has it happen and returns what it gave.
	do(p *player) string
}

func (s *segment) do(p *player) string {
	p.Inject(p.encode(s))
	return ""
}

// wait lets time pass.
type wait struct{ d time.Duration }

func (s wait) String() string { return fmt.Sprintf("wait %v", s.d) }

func (s wait) do(p *player) string {
	p.sleep(s.d)
	return ""
}

// accept takes the connection from the listening socket.
type accept struct{}

func (accept) String() string { return "accept()" }

func (accept) do(p *player) string {
	if p.listener == nil || p.sock != nil || p.closed {
		return ""
	}
	s, _, err := p.listener.Accept(context.Background())
	if err != nil {
		return outcome(err)
	}
	p.sock = s
	return outcome(s.SetNonblock(true))
}

// onSocket is a call on the socket of the connection.
type onSocket struct {
	name string
	call func(p *player, s socket.Socket) string
}

func (c onSocket) String() string { return c.name }

func (c onSocket) do(p *player) string {
	if p.sock == nil {
		return ""
	}
	return c.call(p, p.sock)
}

// maxQueued is how much is written and not acknowledged at most: how much there is
// room for follows from how a host counts memory.
const maxQueued = 8000

// send writes n bytes.
func send(n int, flags socket.Flags) Step {
	return onSocket{fmt.Sprintf("send(%d%s)", n, flagNames(flags)), func(p *player, s socket.Socket) string {
		if p.written-p.told+n > maxQueued {
			return ""
		}
		b := make([]byte, n)
		for i := range b {
			b[i] = hostByte(p.written + i)
		}
		p.more = flags&socket.MSG_MORE != 0
		n, err := s.Send(b, flags)
		if err == nil {
			p.written += n
		}
		return counted(n, err)
	}}
}

// recv reads up to n bytes, and tells where in the peer's stream they stand.
func recv(n int, flags socket.Flags) Step {
	return onSocket{fmt.Sprintf("recv(%d%s)", n, flagNames(flags)), func(_ *player, s socket.Socket) string {
		b := make([]byte, n)
		got, err := s.Recv(b, flags)
		if err != nil || got == 0 || flags&socket.MSG_TRUNC != 0 {
			return counted(got, err)
		}
		return fmt.Sprintf("%d, %x", got, digest(b[:got]))
	}}
}

// atMark asks whether the mark of urgent data is next (SIOCATMARK).
func atMark() Step {
	return onSocket{"sockatmark()", func(_ *player, s socket.Socket) string {
		at, err := s.AtMark()
		if err != nil {
			return outcome(err)
		}
		return fmt.Sprint(at)
	}}
}

// digest is a number that other bytes, or the same in another order, do not have.
func digest(b []byte) uint32 {
	h := uint32(2166136261)
	for _, x := range b {
		h = (h ^ uint32(x)) * 16777619
	}
	return h
}

func flagNames(f socket.Flags) string {
	s := ""
	for _, n := range []struct {
		flag socket.Flags
		name string
	}{{socket.MSG_OOB, "MSG_OOB"}, {socket.MSG_PEEK, "MSG_PEEK"}, {socket.MSG_MORE, "MSG_MORE"}, {socket.MSG_TRUNC, "MSG_TRUNC"}} {
		if f&n.flag != 0 {
			s += ", " + n.name
		}
	}
	return s
}

// shutdown ends one direction or both.
func shutdown(how socket.How) Step {
	name := [...]string{"SHUT_RD", "SHUT_WR", "SHUT_RDWR"}[how]
	return onSocket{"shutdown(" + name + ")", func(p *player, s socket.Socket) string {
		if p.shut && p.state == socket.TCP_CLOSE {
			return "" // on Linux the connection that it begins next is shut down already
		}
		p.shut = true
		return outcome(s.Shutdown(how))
	}}
}

// closing closes the socket; with abort SO_LINGER is set to end it by a reset.
func closing(abort bool) Step {
	name := "close()"
	if abort {
		name = "close() with SO_LINGER {1, 0}"
	}
	return onSocket{name, func(p *player, s socket.Socket) string {
		if abort {
			if err := socket.Set(s, socket.SO_LINGER, socket.Linger{On: true}); err != nil {
				return outcome(err)
			}
		}
		p.sock, p.closed = nil, true
		return outcome(s.Close())
	}}
}

// set sets an option.
func set(name string, o socket.Option[int], value int) Step {
	return onSocket{fmt.Sprintf("setsockopt(%s, %d)", name, value), func(_ *player, s socket.Socket) string {
		return outcome(socket.Set(s, o, value))
	}}
}

// soError takes the pending error.
func soError() Step {
	return onSocket{"getsockopt(SO_ERROR)", func(_ *player, s socket.Socket) string {
		n, err := socket.Get(s, socket.SO_ERROR)
		if err != nil {
			return outcome(err)
		}
		return pendingName(n)
	}}
}

// connectAgain connects what may be connected already.
func connectAgain() Step {
	return onSocket{"connect()", func(p *player, s socket.Socket) string {
		return outcome(s.Connect(context.Background(), netip.AddrPortFrom(p.remote, p.port)))
	}}
}

// names asks for the two ends.
func names() Step {
	return onSocket{"getpeername()", func(_ *player, s socket.Socket) string {
		_, err := s.PeerAddr()
		return outcome(err)
	}}
}

// pendingName names a value of SO_ERROR.
func pendingName(n int) string {
	if n == 0 {
		return "0"
	}
	return errnoName(syscall.Errno(n))
}
