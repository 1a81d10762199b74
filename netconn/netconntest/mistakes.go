package netconntest

import (
	"context"
	"io"
	"net"
	"strings"
	"time"
)

// mistake is something that fails; make sets it up and returns the error.
type mistake struct {
	name string
	make func(s *stage) error
}

func dialing(network string, address func(*stage) string) func(*stage) error {
	return func(s *stage) error {
		c, err := s.dial(context.Background(), dialOptions{}, network, address(s))
		if err == nil {
			c.Close()
		}
		return err
	}
}

func fixed(address string) func(*stage) string { return func(*stage) string { return address } }

func listening(network, address string) func(*stage) error {
	return func(s *stage) error {
		l, err := s.listen(network, address)
		if err == nil {
			l.Close()
		}
		return err
	}
}

func second(_ any, err error) error { return err }

var mistakes = []mistake{
	{"dial a closed port", dialing("tcp", (*stage).closedPort)},
	{"dial no address", dialing("tcp", fixed(""))},
	{"dial without a port", dialing("tcp", fixed("192.0.2.1"))},
	{"dial a port that is none", dialing("tcp", fixed("192.0.2.1:99999"))},
	{"dial an unknown service", dialing("tcp", fixed("192.0.2.1:no-such-service"))},
	{"dial with too many colons", dialing("tcp", fixed("2001:db8::1:80"))},
	{"dial with a bracket too few", dialing("tcp", fixed("[2001:db8::1:80"))},
	{"dial an unknown network", dialing("tcpx", fixed("192.0.2.1:80"))},
	{"dial a network with a protocol too many", dialing("tcp:6", fixed("192.0.2.1:80"))},
	{"dial ip without a protocol", dialing("ip", fixed("192.0.2.1"))},
	{"dial ip with an unknown protocol", dialing("ip:nonsense-protocol", fixed("192.0.2.1"))},
	{"dial IPv6 over tcp4", dialing("tcp4", fixed("[2001:db8::1]:80"))},
	{"dial IPv4 over tcp6", dialing("tcp6", fixed("192.0.2.1:80"))},
	{"dial IPv4 over udp6", dialing("udp6", fixed("192.0.2.1:80"))},
	{"dial with a context that was canceled", func(s *stage) error {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return second(s.dial(ctx, dialOptions{}, "tcp", s.closedPort()))
	}},
	{"dial with a context that has expired", func(s *stage) error {
		ctx, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
		defer cancel()
		return second(s.dial(ctx, dialOptions{}, "tcp", s.closedPort()))
	}},
	{"dial with a deadline that has passed", func(s *stage) error {
		return second(s.dial(context.Background(), dialOptions{deadline: time.Unix(1, 0)}, "tcp", s.closedPort()))
	}},
	{"dial with a negative time-out", func(s *stage) error {
		return second(s.dial(context.Background(), dialOptions{timeout: -1}, "tcp", s.closedPort()))
	}},
	{"dial from an address of another type", func(s *stage) error {
		return second(s.dial(context.Background(), dialOptions{local: &net.UDPAddr{}}, "tcp", s.closedPort()))
	}},
	{"dial from an address of the other family", func(s *stage) error {
		local := &net.TCPAddr{IP: net.ParseIP(s.other)}
		return second(s.dial(context.Background(), dialOptions{local: local}, "tcp", s.closedPort()))
	}},
	{"dial from an address that is not here", func(s *stage) error {
		local := &net.TCPAddr{IP: net.ParseIP("192.0.2.77")}
		if s.suffix == "6" {
			local.IP = net.ParseIP("2001:db8::77")
		}
		return second(s.dial(context.Background(), dialOptions{local: local}, "tcp", s.closedPort()))
	}},

	{"listen where somebody listens", func(s *stage) error {
		return second(s.listen("tcp", s.listener().Addr().String()))
	}},
	{"listen on an address that is not here", func(s *stage) error {
		if s.suffix == "6" {
			return listening("tcp", "[2001:db8::77]:0")(s)
		}
		return listening("tcp", "192.0.2.77:0")(s)
	}},
	{"listen on a network for packets", listening("udp", "127.0.0.1:0")},
	{"listen on an unknown network", listening("nonsense", "127.0.0.1:0")},
	{"listen without a port", listening("tcp", "127.0.0.1")},
	{"listen on IPv6 with tcp4", listening("tcp4", "[::1]:0")},
	{"listen for packets on a stream network", func(s *stage) error {
		return second(s.listenPacket("tcp", s.at("0")))
	}},
	{"listen for packets where somebody does", func(s *stage) error {
		return second(s.listenPacket("udp", s.packets().LocalAddr().String()))
	}},
	{"accept on a closed listener", func(s *stage) error {
		l := s.listener()
		l.Close()
		return second(l.Accept())
	}},
	{"accept after the deadline", func(s *stage) error {
		l := s.listener()
		s.must(l.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Unix(1, 0)))
		return second(l.Accept())
	}},
	{"set a deadline on a closed listener", func(s *stage) error {
		l := s.listener()
		l.Close()
		return l.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Unix(1, 0))
	}},
	{"close a listener twice", func(s *stage) error {
		l := s.listener()
		l.Close()
		return l.Close()
	}},

	{"read at the end", func(s *stage) error {
		c, peer := s.pair()
		s.must(peer.Close())
		return second(c.Read(make([]byte, 1)))
	}},
	{"read after a reset was read", func(s *stage) error { return second(s.reset().Read(make([]byte, 1))) }},
	{"read what was reset", func(s *stage) error {
		c, peer := s.pair()
		s.must(peer.(interface{ SetLinger(int) error }).SetLinger(0))
		s.must(peer.Close())
		return second(c.Read(make([]byte, 1)))
	}},
	{"write after a reset", func(s *stage) error { return second(s.reset().Write([]byte("x"))) }},
	{"read after the deadline", func(s *stage) error {
		c, _ := s.pair()
		s.must(c.SetReadDeadline(time.Unix(1, 0)))
		return second(c.Read(make([]byte, 1)))
	}},
	{"read nothing", func(s *stage) error { c, _ := s.pair(); return second(c.Read(nil)) }},
	{"write after the deadline", func(s *stage) error {
		c, _ := s.pair()
		s.must(c.SetWriteDeadline(time.Unix(1, 0)))
		return second(c.Write([]byte("x")))
	}},
	{"write more than anybody takes", func(s *stage) error {
		c, _ := s.pair()
		s.must(c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)))
		return second(c.Write(make([]byte, 64<<20)))
	}},
	{"write after CloseWrite", func(s *stage) error {
		c, _ := s.pair()
		s.must(c.(interface{ CloseWrite() error }).CloseWrite())
		return second(c.Write([]byte("x")))
	}},
	{"read after Close", func(s *stage) error { return second(s.closed().Read(make([]byte, 1))) }},
	{"read nothing after Close", func(s *stage) error { return second(s.closed().Read(nil)) }},
	{"write after Close", func(s *stage) error { return second(s.closed().Write([]byte("x"))) }},
	{"close twice", func(s *stage) error { return s.closed().Close() }},
	{"set a deadline after Close", func(s *stage) error { return s.closed().SetDeadline(time.Unix(1, 0)) }},
	{"set a read deadline after Close", func(s *stage) error { return s.closed().SetReadDeadline(time.Unix(1, 0)) }},
	{"set an option after Close", func(s *stage) error {
		return s.closed().(interface{ SetNoDelay(bool) error }).SetNoDelay(true)
	}},
	{"set linger after Close", func(s *stage) error {
		return s.closed().(interface{ SetLinger(int) error }).SetLinger(1)
	}},
	{"CloseWrite after Close", func(s *stage) error {
		return s.closed().(interface{ CloseWrite() error }).CloseWrite()
	}},
	{"CloseWrite after a reset", func(s *stage) error {
		return s.reset().(interface{ CloseWrite() error }).CloseWrite()
	}},
	{"ReadFrom after CloseWrite", func(s *stage) error {
		c, _ := s.pair()
		s.must(c.(interface{ CloseWrite() error }).CloseWrite())
		return second(c.(io.ReaderFrom).ReadFrom(strings.NewReader("x")))
	}},
	{"close while somebody reads", func(s *stage) error {
		c, peer := s.pair()
		read := make(chan error)
		go func() {
			_, err := io.ReadFull(c, make([]byte, 2))
			read <- err
		}()
		_, err := peer.Write([]byte("x"))
		s.must(err)
		s.must(c.Close())
		return <-read
	}},

	{"a datagram to a closed port", func(s *stage) error {
		p := s.packets()
		p.Close()
		c := s.connectedUDP(p.LocalAddr().String())
		_, err := c.Write([]byte("x"))
		s.must(err)
		return second(c.Read(make([]byte, 1)))
	}},
	{"a datagram that is too long", func(s *stage) error {
		return second(s.connectedUDP(s.packets().LocalAddr().String()).Write(make([]byte, 70000)))
	}},
	{"a datagram to nobody", func(s *stage) error {
		return second(s.packets().(net.Conn).Write([]byte("x")))
	}},
	{"WriteTo with a peer", func(s *stage) error {
		p := s.packets()
		return second(s.connectedUDP(p.LocalAddr().String()).(net.PacketConn).WriteTo([]byte("x"), p.LocalAddr()))
	}},
	{"WriteTo nobody", func(s *stage) error {
		return second(s.packets().WriteTo([]byte("x"), (*net.UDPAddr)(nil)))
	}},
	{"WriteTo an address of another type", func(s *stage) error {
		return second(s.packets().WriteTo([]byte("x"), &net.TCPAddr{}))
	}},
	{"WriteTo an address of the other family", func(s *stage) error {
		if s.suffix == "6" {
			return io.EOF // IPv6 sockets take mapped addresses
		}
		return second(s.packets().WriteTo([]byte("x"), &net.UDPAddr{IP: net.ParseIP(s.other), Port: 1}))
	}},
	{"ReadFrom after the deadline", func(s *stage) error {
		p := s.packets()
		s.must(p.SetReadDeadline(time.Unix(1, 0)))
		_, _, err := p.ReadFrom(make([]byte, 1))
		return err
	}},
	{"ReadFrom after Close", func(s *stage) error {
		p := s.packets()
		p.Close()
		_, _, err := p.ReadFrom(make([]byte, 1))
		return err
	}},
	{"WriteTo after Close", func(s *stage) error {
		p := s.packets()
		p.Close()
		return second(p.WriteTo([]byte("x"), p.LocalAddr()))
	}},
	{"close packets twice", func(s *stage) error {
		p := s.packets()
		p.Close()
		return p.Close()
	}},
	{"close while somebody waits for packets", func(s *stage) error {
		p := s.packets()
		read := make(chan error)
		go func() {
			for {
				if _, _, err := p.ReadFrom(make([]byte, 1)); err != nil {
					read <- err
					return
				}
			}
		}()
		_, err := p.WriteTo([]byte("x"), p.LocalAddr())
		s.must(err)
		s.must(p.Close())
		return <-read
	}},
}
