package perf

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/berth/netconn"
)

// Server serves tests, one at a time.
type Server struct {
	Listener *netconn.TCPListener
	// ListenPacket opens the socket for datagrams, on the listener's address.
	ListenPacket func(context.Context) (*netconn.UDPConn, error)
	// Finish closes a connection when the other side has everything.
	Finish func(context.Context, *netconn.TCPConn) error
	// NewPrinter returns who reports the next test.
	NewPrinter func() Printer
	// Interval is the time between reports while a test runs; 0 gives none.
	Interval time.Duration
	// OneOff ends the server after one test, with its error.
	OneOff bool
	// Log takes a line about what else happens.
	Log func(format string, args ...any)

	mu      sync.Mutex // guards what follows
	current *admission
}

// maxGreeting is how many connections may be open that have not said yet what
// they are for; others wait in the backlog.
const maxGreeting = 64

// admission is how connections for data reach the test they belong to.
type admission struct {
	cookie string
	conns  chan arrival
	over   <-chan struct{}
	ended  chan struct{} // closed when another test may begin
}

type arrival struct {
	stream int
	conn   *netconn.TCPConn
}

// Serve serves until ctx ends, which is no error, or the listener fails.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	defer all.Wait()
	defer s.Listener.Close()
	defer context.AfterFunc(ctx, func() { s.Listener.Close() })()
	greeting := make(chan struct{}, maxGreeting)
	for {
		greeting <- struct{}{}
		conn, err := s.Listener.AcceptTCP()
		if err != nil {
			switch cause := context.Cause(ctx); {
			case cause == nil:
				return err
			case errors.Is(cause, context.Canceled):
				return nil
			default:
				var end *oneTest
				errors.As(cause, &end)
				return end.err
			}
		}
		all.Go(func() {
			tested, err := s.serve(ctx, conn, func() { <-greeting })
			if tested && s.OneOff {
				cancel(&oneTest{err})
			} else if err != nil && ctx.Err() == nil {
				s.Log("%s: %v", conn.RemoteAddr(), err)
			}
		})
	}
}

// oneTest is why a server ends that serves one test.
type oneTest struct{ err error }

func (e *oneTest) Error() string { return "the test is over" }

// serve does what a connection is for. It tells whether that was a test.
func (s *Server) serve(ctx context.Context, conn *netconn.TCPConn, greeted func()) (tested bool, err error) {
	handed := false
	defer func() {
		if !handed {
			conn.Close()
		}
	}()
	err = conn.SetReadDeadline(time.Now().Add(patience))
	var h hello
	if err == nil {
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		h, err = readHello(conn)
		stop()
	}
	greeted()
	if err != nil {
		return false, err
	}
	ch := newChannel(conn)
	if h.version != Version {
		err := fmt.Errorf("version %d of the protocol: this is %d", h.version, Version)
		return false, errors.Join(err, ch.send(message{Kind: kindError, Error: err.Error()}))
	}
	if h.cookie == "" {
		return s.control(ctx, conn, ch)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return false, err
	}
	handed = s.admit(h, conn)
	if !handed {
		return false, errors.New("data for a test that there is not")
	}
	return false, nil
}

// admit hands a connection to the test that it is for.
func (s *Server) admit(h hello, conn *netconn.TCPConn) bool {
	s.mu.Lock()
	a := s.current
	s.mu.Unlock()
	if a == nil || a.cookie != h.cookie {
		return false
	}
	select {
	case a.conns <- arrival{h.stream, conn}:
		return true
	case <-a.over:
		return false
	case <-time.After(patience):
		return false
	}
}

// control does a test for a client, unless another has one.
func (s *Server) control(ctx context.Context, conn *netconn.TCPConn, ch *channel) (tested bool, err error) {
	m, err := ch.expect(kindTest, patience)
	if err != nil {
		return false, err
	}
	refuse := func(err error) error {
		return errors.Join(err, ch.send(message{Kind: kindError, Error: err.Error()}))
	}
	if m.Params == nil {
		return false, refuse(errors.New("a test without parameters"))
	}
	if err := m.Params.Check(); err != nil {
		return false, refuse(err)
	}
	se := newSession(*m.Params, ch, s.NewPrinter(), false)
	se.interval = s.Interval
	defer se.close()
	a := &admission{cookie: newCookie(), conns: make(chan arrival), over: se.over, ended: make(chan struct{})}
	if !s.begin(a) {
		return false, refuse(errors.New("busy with another test; try again later"))
	}
	defer s.end()
	if err := s.openAll(ctx, se, a); err != nil {
		return true, se.fail(err)
	}
	if err := se.run(ctx); err != nil {
		return true, err
	}
	return true, s.Finish(ctx, conn)
}

// grace is how long a test waits for one that is under way: a client that has its
// results may begin another before this end has put the first away.
const grace = 500 * time.Millisecond

// begin makes a test the one under way, unless another is and stays so.
func (s *Server) begin(a *admission) bool {
	deadline := time.After(grace)
	for {
		s.mu.Lock()
		other := s.current
		if other == nil {
			s.current = a
		}
		s.mu.Unlock()
		if other == nil {
			return true
		}
		select {
		case <-other.ended:
		case <-deadline:
			return false
		}
	}
}

func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.current.ended)
	s.current = nil
}

// openAll waits for the streams of a test.
func (s *Server) openAll(ctx context.Context, se *session, a *admission) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	open := s.openTCP
	if se.params.UDP {
		open = s.openUDP
	}
	if err := open(ctx, se, a); err != nil {
		return err
	}
	return se.channel.send(message{Kind: kindStart})
}

func (s *Server) openTCP(ctx context.Context, se *session, a *admission) error {
	if err := se.channel.send(message{Kind: kindReady, Cookie: a.cookie}); err != nil {
		return err
	}
	for missing := len(se.streams); missing > 0; {
		select {
		case x := <-a.conns:
			if x.stream < 1 || x.stream > len(se.streams) || se.streams[x.stream-1].tcp != nil {
				x.conn.Close()
				return fmt.Errorf("there is no stream %d to open", x.stream)
			}
			se.streams[x.stream-1].tcp = x.conn
			se.closers = append(se.closers, x.conn.Close)
			missing--
		case <-ctx.Done():
			return fmt.Errorf("%d of %d streams did not come: %w", missing, len(se.streams), ctx.Err())
		}
	}
	return nil
}

func (s *Server) openUDP(ctx context.Context, se *session, a *admission) error {
	u, err := s.ListenPacket(ctx)
	if err != nil {
		return err
	}
	se.closers = append(se.closers, u.Close)
	_ = u.SetReadBuffer(readBuffer) // as much of it as there may be
	se.sockets = append(se.sockets, u)
	if err := se.channel.send(message{Kind: kindReady, Cookie: a.cookie}); err != nil {
		return err
	}
	if err := u.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = u.SetReadDeadline(time.Now()) })()
	b := make([]byte, MaxDatagram)
	for missing := len(se.streams); missing > 0; {
		n, from, err := u.ReadFromUDPAddrPort(b)
		if err != nil {
			return fmt.Errorf("%d of %d streams did not come: %w", missing, len(se.streams), err)
		}
		var d datagram
		if !d.parse(b[:n]) || d.kind != datagramHello || string(b[headerLen:n]) != a.cookie {
			continue
		}
		if d.stream < 1 || d.stream > len(se.streams) || se.streams[d.stream-1].peer.IsValid() {
			continue
		}
		st := se.streams[d.stream-1]
		st.peer = from
		st.send = func(b []byte) (int, error) { return u.WriteToUDPAddrPort(b, from) }
		missing--
	}
	return u.SetReadDeadline(time.Time{})
}
