package gateway

import (
	"context"
	"net"

	"example.com/berth"
	"example.com/berth/internal/policy"
	"example.com/berth/socket"
)

// tcp carries a connection that the program begins.
func (g *Gateway) tcp(f *flow, bf *berth.Flow) {
	if !f.allowed() {
		bf.Refuse()
		return
	}
	out, err := g.cfg.Dial(g.ctx, "tcp", g.outside(f.what.Dst))
	if err != nil {
		f.tell(Failed, err)
		answer(bf, err)
		return
	}
	in, err := bf.Accept()
	if err != nil { // the program has given up meanwhile
		f.tell(Failed, err)
		resetConn(out)
		return
	}
	f.carry(in, out)
}

// carry splices a connection of the program with one of the world, to their end.
func (f *flow) carry(in socket.Socket, out net.Conn) {
	_ = socket.Set(in, socket.TCP_NODELAY, 1) // the other side has had its Nagle
	stop := context.AfterFunc(f.g.ctx, func() { resetConn(out) })
	defer stop()
	f.tell(Begun, nil)
	s := newSplice(f, in, out)
	if f.verdict.Inspect && f.g.cfg.Judge != nil && !f.inwards {
		s.hello = f.g.cfg.Judge.NewHello(f.what, f.verdict)
	}
	err := s.run()
	if denied, ok := err.(*denial); ok {
		f.verdict = denied.verdict
		f.tell(Denied, nil)
	}
	f.tell(Ended, err)
}

// A denial is the end of a flow that a Hello did not let pass.
type denial struct{ verdict policy.Verdict }

func (d *denial) Error() string { return "denied: " + d.verdict.Reason }

// resetConn closes a connection by force: the peer gets a reset.
func resetConn(c net.Conn) {
	if t, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// resetSocket closes one of the program's by force.
func resetSocket(s socket.Socket) {
	_ = socket.Set(s, socket.SO_LINGER, socket.Linger{On: true})
	_ = s.Close()
}
