package sockettest

import (
	"context"
	"syscall"
	"time"

	"example.com/berth/socket"
)

const (
	in    = socket.POLLIN
	out   = socket.POLLOUT
	pri   = socket.POLLPRI
	perr  = socket.POLLERR
	hup   = socket.POLLHUP
	rdhup = socket.POLLRDHUP
)

var pollCases = []rows{
	both("poll/fresh-stream", "a stream that was never connected: POLLOUT, POLLHUP", pollFreshStream),
	both("poll/fresh-datagram", "a datagram socket: POLLOUT", pollFreshDatagram),
	both("poll/listener", "a listener: nothing; with a connection that waits: POLLIN", pollListener),
	both("poll/connected", "a connection: POLLOUT; with data: POLLIN too", pollConnected),
	both("poll/peer-ended", "the peer has ended its half: POLLIN, POLLRDHUP, POLLOUT", pollPeerEnded),
	both("poll/self-ended", "one's own half has ended: POLLOUT", pollSelfEnded),
	both("poll/self-ended-read", "SHUT_RD: POLLIN, POLLRDHUP, POLLOUT", pollSelfEndedRead),
	both("poll/both-ended", "both halves have ended: POLLIN, POLLOUT, POLLRDHUP, POLLHUP", pollBothEnded),
	both("poll/reset", "the connection was reset: POLLIN, POLLOUT, POLLERR, POLLHUP, POLLRDHUP, until the error is taken", pollReset),
	both("poll/urgent", "urgent data: POLLPRI", pollUrgent),
	both("poll/datagram", "a datagram waits: POLLIN", pollDatagram),
	both("poll/datagram-error", "an error waits: POLLERR, until it is taken", pollDatagramError),
	both("poll/datagram-ended", "a datagram socket after SHUT_RD: POLLIN, POLLRDHUP", pollDatagramEnded),
	both("poll/asked", "only what was asked for is reported, or what always is", pollAsked),
	both("poll/always", "POLLERR and POLLHUP are reported unasked", pollAlways),
	both("poll/count", "Poll counts the entries that have something", pollCount),
	both("poll/same-twice", "a socket may stand in two entries", pollSameTwice),
	both("poll/nil", "an entry without a socket is passed over", pollNil),
	both("poll/none", "Poll of nothing waits for the timeout", pollNone),
	both("poll/closed", "a closed socket: POLLNVAL", pollClosed),
	both("poll/closed-meanwhile", "a socket closed while Poll waits: POLLNVAL", pollClosedMeanwhile),
	both("poll/other-provider", "a socket of another provider is EINVAL", pollOtherProvider).needing(link),
	both("poll/timeout", "Poll ends at its timeout with 0, not before", pollTimeout),
	both("poll/context", "a context ends Poll with its error", pollContext),
	both("poll/wakes", "Poll ends when data comes", pollWakes),
	both("poll/wakes-all", "data wakes every Poll that waits for it", pollWakesAll),
}

func pollFreshStream(t *T, f family) {
	equal(t, "Poll", t.events(t.tcp(t.A, f)), out|hup)
	equal(t, "Poll when bound", t.events(t.bound(t.tcp(t.A, f), f.a)), out|hup)
}

func pollFreshDatagram(t *T, f family) {
	equal(t, "Poll", t.events(t.udp(t.A, f)), out)
}

func pollListener(t *T, f family) {
	l := t.listener(f)
	equal(t, "Poll", t.events(l), 0)
	t.connect(t.tcp(t.A, f), l.LocalAddr())
	t.settles(l, in)
	t.accept(l)
	equal(t, "Poll after Accept", t.events(l), 0)
}

func pollConnected(t *T, f family) {
	a, b := t.pair(f)
	equal(t, "Poll", t.events(b), out)
	t.send(a, "x")
	t.settles(b, in|out)
	t.receives(b, "x")
	equal(t, "Poll after Recv", t.events(b), out)
}

func pollPeerEnded(t *T, f family) {
	a, b := t.pair(f)
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.settles(b, in|out|rdhup)
	t.receivesEnd(b)
	equal(t, "Poll after the end", t.events(b), in|out|rdhup)
}

func pollSelfEnded(t *T, f family) {
	a, _ := t.pair(f)
	t.ok(a.Shutdown(socket.SHUT_WR))
	equal(t, "Poll", t.events(a), out)
}

func pollSelfEndedRead(t *T, f family) {
	a, _ := t.pair(f)
	t.ok(a.Shutdown(socket.SHUT_RD))
	equal(t, "Poll", t.events(a), in|out|rdhup)
}

func pollBothEnded(t *T, f family) {
	a, b := t.pair(f)
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.receivesEnd(b)
	t.ok(b.Shutdown(socket.SHUT_WR))
	t.settles(a, in|out|rdhup|hup)
	t.settles(b, in|out|rdhup|hup)
}

func pollReset(t *T, f family) {
	s := t.resetPair(f)
	equal(t, "Poll", t.events(s), in|out|perr|hup|rdhup)
	t.fails("SO_ERROR", t.pending(s), syscall.ECONNRESET)
	equal(t, "Poll after SO_ERROR", t.events(s), in|out|hup|rdhup)
}

func pollUrgent(t *T, f family) {
	a, b := t.pair(f)
	t.sendUrgent(a, "!")
	t.await(b, pri)
	// The urgent byte is not in the stream: there is nothing for Recv yet.
	equal(t, "Poll", t.events(b)&^in, pri|out)
	_, err := b.Recv(make([]byte, 1), socket.MSG_OOB)
	t.ok(err)
	equal(t, "Poll after Recv", t.events(b)&pri, 0)
}

func pollDatagram(t *T, f family) {
	s := t.udpAt(t.B, f, f.b)
	t.sendTo(t.udp(t.A, f), "x", s.LocalAddr())
	t.settles(s, in|out)
	t.receives(s, "x")
	equal(t, "Poll after Recv", t.events(s), out)
}

func pollDatagramError(t *T, f family) {
	s := t.udp(t.A, f)
	t.connect(s, t.closedPort(f, socket.DGRAM))
	t.send(s, "x")
	t.settles(s, out|perr)
	t.fails("SO_ERROR", t.pending(s), syscall.ECONNREFUSED)
	equal(t, "Poll after SO_ERROR", t.events(s), out)
}

func pollDatagramEnded(t *T, f family) {
	a, _ := t.udpPair(f)
	t.ok(a.Shutdown(socket.SHUT_RD))
	equal(t, "Poll after SHUT_RD", t.events(a), in|out|rdhup)
	t.ok(a.Shutdown(socket.SHUT_WR))
	equal(t, "Poll after both", t.events(a), in|out|rdhup|hup)
}

// pollOne is one look at s for some events.
func (t *T) pollOne(s socket.Socket, e socket.Events) (int, socket.Events) {
	t.Helper()
	fds := []socket.PollFD{{Socket: s, Events: e, Revents: 0xffff}}
	n, err := t.owners[s].Poll(background, fds, 0)
	t.ok(err)
	return n, fds[0].Revents
}

func pollAsked(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "x")
	t.await(b, in)
	for _, e := range []socket.Events{0, pri, rdhup} {
		n, got := t.pollOne(b, e)
		equal(t, "count", n, 0)
		equal(t, "Revents", got, 0)
	}
	n, got := t.pollOne(b, in)
	equal(t, "count", n, 1)
	equal(t, "Revents", got, in)
}

func pollAlways(t *T, f family) {
	n, got := t.pollOne(t.resetPair(f), 0)
	equal(t, "count", n, 1)
	equal(t, "Revents", got, perr|hup)
}

func pollCount(t *T, f family) {
	quiet, busy, closed := t.listener(f), t.udp(t.B, f), t.udp(t.B, f)
	t.ok(closed.Close())
	fds := []socket.PollFD{
		{Socket: quiet, Events: in},
		{Socket: busy, Events: out},
		{},
		{Socket: closed, Events: in},
		{Socket: busy, Events: in},
	}
	n, err := t.B.Poll(background, fds, patience)
	t.ok(err)
	equal(t, "count", n, 2)
	for i, want := range []socket.Events{0, out, 0, socket.POLLNVAL, 0} {
		equal(t, "Revents", fds[i].Revents, want)
	}
}

func pollSameTwice(t *T, f family) {
	s := t.udp(t.A, f)
	fds := []socket.PollFD{{Socket: s, Events: in | out}, {Socket: s, Events: out}}
	n, err := t.A.Poll(background, fds, patience)
	t.ok(err)
	equal(t, "count", n, 2)
}

func pollNil(t *T, _ family) {
	fds := []socket.PollFD{{Events: in, Revents: in}}
	n, err := t.A.Poll(background, fds, 0)
	t.ok(err)
	equal(t, "count", n, 0)
	equal(t, "Revents", fds[0].Revents, 0)
}

func pollNone(t *T, _ family) {
	n, err := t.A.Poll(background, nil, time.Millisecond)
	t.ok(err)
	equal(t, "count", n, 0)
}

func pollClosed(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		t.ok(s.Close())
		equal(t, "Poll", t.events(s), socket.POLLNVAL)
	})
}

func pollClosedMeanwhile(t *T, f family) {
	s, other := t.udpAt(t.A, f, f.a), t.udpAt(t.A, f, f.a)
	done := t.beside(func() {
		fds := []socket.PollFD{{Socket: other, Events: in}, {Socket: s, Events: in}}
		n, err := t.A.Poll(background, fds, patience)
		t.fails("Poll", err, nil)
		equal(t, "count", n, 1)
		equal(t, "Revents", fds[1].Revents, socket.POLLNVAL)
	})
	t.ok(s.Close())
	<-done
}

func pollOtherProvider(t *T, f family) {
	_, err := t.A.Poll(background, []socket.PollFD{{Socket: t.udp(t.B, f), Events: in}}, 0)
	t.fails("Poll", err, syscall.EINVAL)
}

func pollTimeout(t *T, f family) {
	const timeout = 3 * time.Millisecond
	fds := []socket.PollFD{{Socket: t.udpAt(t.A, f, f.a), Events: in}}
	begin := time.Now()
	n, err := t.A.Poll(background, fds, timeout)
	t.ok(err)
	equal(t, "count", n, 0)
	if waited := time.Since(begin); waited < timeout {
		t.Errorf("Poll waited only %v", waited)
	}
}

func pollContext(t *T, f family) {
	fds := []socket.PollFD{{Socket: t.udpAt(t.A, f, f.a), Events: in}}
	ctx, cancel := context.WithCancel(background)
	done := t.beside(func() {
		_, err := t.A.Poll(ctx, fds, -1)
		t.fails("Poll", err, context.Canceled)
	})
	cancel()
	<-done
	ctx, cancel = context.WithTimeout(background, time.Millisecond)
	defer cancel()
	_, err := t.A.Poll(ctx, fds, -1)
	t.fails("Poll", err, context.DeadlineExceeded)
}

func pollWakes(t *T, f family) {
	s := t.udpAt(t.B, f, f.b)
	done := t.beside(func() {
		fds := []socket.PollFD{{Socket: s, Events: in}}
		n, err := t.B.Poll(background, fds, -1)
		t.fails("Poll", err, nil)
		equal(t, "count", n, 1)
		equal(t, "Revents", fds[0].Revents, in)
	})
	t.sendTo(t.udp(t.A, f), "x", s.LocalAddr())
	<-done
}

func pollWakesAll(t *T, f family) {
	s := t.udpAt(t.B, f, f.b)
	for range 4 {
		t.beside(func() {
			n, err := t.B.Poll(background, []socket.PollFD{{Socket: s, Events: in}}, patience)
			if n != 1 || err != nil {
				t.Errorf("Poll: %d, %v", n, err)
			}
		})
	}
	t.sendTo(t.udp(t.A, f), "x", s.LocalAddr())
}
