package sockettest

import (
	"syscall"

	"example.com/berth/socket"
)

// Urgent data (RFC 9293 section 3.8.5), as Linux has it: the last byte
// of what is sent with MSG_OOB is urgent, and is out of the stream but for
// SO_OOBINLINE.
var urgentCases = []rows{
	both("urgent/out-of-line", "the urgent byte is received with MSG_OOB, and is not in the stream (MUST-30)", urgentOutOfLine),
	both("urgent/inline", "SO_OOBINLINE leaves the urgent byte in the stream", urgentInline),
	both("urgent/inline-mark", "SO_OOBINLINE: Recv stops before the mark, MSG_OOB is EINVAL, POLLPRI lasts until it was read", urgentInlineMark),
	both("urgent/switch", "SO_OOBINLINE is looked at when the byte is read", urgentSwitch),
	both("urgent/none", "MSG_OOB without urgent data is EINVAL", urgentNone),
	both("urgent/unconnected", "MSG_OOB without a connection: EINVAL, ENOTCONN of a listener, EPIPE to send", urgentUnconnected),
	both("urgent/once", "the urgent byte is received once; after that MSG_OOB is EINVAL", urgentOnce),
	both("urgent/peek", "MSG_PEEK leaves the urgent byte", urgentPeek),
	both("urgent/message", "RecvMsg tells MSG_OOB, and MSG_TRUNC if there is no room", urgentMessage),
	both("urgent/trunc", "MSG_TRUNC throws the urgent byte away", urgentTrunc),
	both("urgent/mark", "Recv stops before the urgent mark, also with MSG_WAITALL", urgentMark),
	both("urgent/mark-peek", "MSG_PEEK stops before the urgent mark; at it, it looks behind it", urgentMarkPeek),
	both("urgent/mark-trunc", "MSG_TRUNC stops before the urgent mark", urgentMarkTrunc),
	both("urgent/mark-lowat", "SO_RCVLOWAT does not make Recv wait for what is behind the mark", urgentMarkLowat),
	both("urgent/at-mark", "AtMark is true where the next byte is the urgent one, received or not", urgentAtMark),
	both("urgent/at-mark-inline", "AtMark is true before the urgent byte in the stream", urgentAtMarkInline),
	both("urgent/at-mark-datagram", "AtMark of a datagram socket is ENOTTY", urgentAtMarkDatagram),
	both("urgent/passed", "what is read past can no longer be received with MSG_OOB", urgentPassed),
	both("urgent/several", "of several bytes the last is urgent (MUST-31)", urgentSeveral),
	both("urgent/gathered", "of several buffers the last byte is urgent", urgentGathered),
	both("urgent/long", "as many bytes as there are may go before it (MUST-31)", urgentLong),
	both("urgent/moved", "a later urgent byte takes the place of an earlier one, which stays in the stream (MUST-32)", urgentMoved),
	both("urgent/moved-at-mark", "an earlier urgent byte that the reader has come to is not in the stream", urgentMovedAtMark),
	both("urgent/alone", "only the urgent byte: POLLPRI, not POLLIN", urgentAlone),
	both("urgent/told-again", "Poll tells of each urgent byte that comes (MUST-32)", urgentToldAgain),
	both("urgent/announced", "MSG_OOB of what is announced and has not come: EAGAIN, without waiting", urgentAnnounced),
	both("urgent/end", "an urgent byte at the end of the stream", urgentEnd),
}

func (t *T) sendUrgent(s socket.Socket, data string) {
	t.Helper()
	n, err := s.Send([]byte(data), socket.MSG_OOB)
	t.ok(err)
	equal(t, "sent", n, len(data))
}

// urgent fails unless the urgent byte is here, and is want.
func (t *T) urgent(s socket.Socket, want string) {
	t.Helper()
	t.await(s, pri)
	buf := make([]byte, 4)
	n, err := s.Recv(buf, socket.MSG_OOB)
	t.ok(err)
	equal(t, "urgent", string(buf[:n]), want)
}

// gets fails unless one Recv with room for more gives want.
func (t *T) gets(s socket.Socket, want string, flags socket.Flags) {
	t.Helper()
	buf := make([]byte, len(want)+8)
	n, err := s.Recv(buf, flags)
	t.ok(err)
	equal(t, "received", string(buf[:n]), want)
}

func (t *T) atMark(s socket.Socket, want bool) {
	t.Helper()
	at, err := s.AtMark()
	t.ok(err)
	equal(t, "AtMark", at, want)
}

// urgentPair is a pair with an urgent byte in the middle of what b can read.
func (t *T) urgentPair(f family) (a, b socket.Socket) {
	t.Helper()
	a, b = t.pair(f)
	set(t, a, socket.TCP_NODELAY, 1)
	t.send(a, "ab")
	t.sendUrgent(a, "!")
	t.send(a, "cd")
	t.until(b, "all of it here", func() bool {
		n, err := b.Recv(make([]byte, 1), socket.MSG_OOB|socket.MSG_PEEK)
		return n == 1 && err == nil && get(t, a, socket.TCP_INFO).Unacked == 0
	})
	return a, b
}

func urgentOutOfLine(t *T, f family) {
	_, b := t.urgentPair(f)
	t.urgent(b, "!")
	t.receives(b, "ab")
	t.receives(b, "cd")
}

func urgentInline(t *T, f family) {
	_, b := t.urgentPair(f)
	set(t, b, socket.SO_OOBINLINE, 1)
	t.gets(b, "ab", socket.MSG_WAITALL)
	t.gets(b, "!cd", 0)
}

func urgentInlineMark(t *T, f family) {
	_, b := t.urgentPair(f)
	set(t, b, socket.SO_OOBINLINE, 1)
	t.recvErr(b, socket.MSG_OOB, syscall.EINVAL)
	equal(t, "Poll", t.events(b), in|pri|out)
	t.gets(b, "ab", 0)
	equal(t, "Poll at the mark", t.events(b), in|pri|out)
	t.gets(b, "!cd", 0)
	equal(t, "Poll behind it", t.events(b), out)
}

func urgentSwitch(t *T, f family) {
	_, b := t.urgentPair(f)
	t.gets(b, "ab", 0)
	set(t, b, socket.SO_OOBINLINE, 1)
	t.recvErr(b, socket.MSG_OOB, syscall.EINVAL)
	set(t, b, socket.SO_OOBINLINE, 0)
	t.urgent(b, "!")
	set(t, b, socket.SO_OOBINLINE, 1)
	t.gets(b, "!cd", 0)
}

func urgentNone(t *T, f family) {
	_, b := t.pair(f)
	t.recvErr(b, socket.MSG_OOB, syscall.EINVAL)
}

func urgentUnconnected(t *T, f family) {
	s := t.tcp(t.A, f)
	t.recvErr(s, socket.MSG_OOB, syscall.EINVAL)
	_, err := s.Send([]byte("!"), socket.MSG_OOB)
	t.fails("Send", err, syscall.EPIPE)
	t.recvErr(t.listener(f), socket.MSG_OOB, syscall.ENOTCONN)
}

func urgentOnce(t *T, f family) {
	_, b := t.urgentPair(f)
	t.urgent(b, "!")
	t.recvErr(b, socket.MSG_OOB, syscall.EINVAL)
}

func urgentPeek(t *T, f family) {
	_, b := t.urgentPair(f)
	for range 2 {
		t.gets(b, "!", socket.MSG_OOB|socket.MSG_PEEK)
	}
	t.urgent(b, "!")
	t.recvErr(b, socket.MSG_OOB|socket.MSG_PEEK, syscall.EINVAL)
}

func urgentMessage(t *T, f family) {
	_, b := t.urgentPair(f)
	m := socket.Message{Buffers: [][]byte{{}, make([]byte, 2), make([]byte, 2)}}
	n, err := b.RecvMsg(&m, socket.MSG_OOB|socket.MSG_PEEK)
	t.ok(err)
	equal(t, "count", n, 1)
	equal(t, "urgent", m.Buffers[1][0], '!')
	equal(t, "flags", m.Flags, socket.MSG_OOB)
	m = socket.Message{}
	n, err = b.RecvMsg(&m, socket.MSG_OOB)
	t.ok(err)
	equal(t, "count", n, 0)
	equal(t, "flags", m.Flags, socket.MSG_OOB|socket.MSG_TRUNC)
	t.recvErr(b, socket.MSG_OOB, syscall.EINVAL)
}

func urgentTrunc(t *T, f family) {
	_, b := t.urgentPair(f)
	buf := []byte{'x'}
	n, err := b.Recv(buf, socket.MSG_OOB|socket.MSG_TRUNC)
	t.ok(err)
	equal(t, "count", n, 1)
	equal(t, "buffer", buf[0], 'x')
	t.recvErr(b, socket.MSG_OOB, syscall.EINVAL)
}

func urgentMark(t *T, f family) {
	_, b := t.urgentPair(f)
	t.gets(b, "ab", socket.MSG_WAITALL)
	t.gets(b, "cd", 0)
}

func urgentMarkPeek(t *T, f family) {
	_, b := t.urgentPair(f)
	t.gets(b, "ab", socket.MSG_PEEK)
	t.gets(b, "ab", socket.MSG_PEEK|socket.MSG_WAITALL)
	t.gets(b, "ab", 0)
	t.gets(b, "cd", socket.MSG_PEEK)
	t.atMark(b, true)
	t.gets(b, "cd", 0)
}

func urgentMarkTrunc(t *T, f family) {
	_, b := t.urgentPair(f)
	for _, want := range []int{2, 2} {
		n, err := b.Recv(make([]byte, 9), socket.MSG_TRUNC)
		t.ok(err)
		equal(t, "thrown away", n, want)
	}
	t.nothing(b)
}

func urgentMarkLowat(t *T, f family) {
	_, b := t.urgentPair(f)
	set(t, b, socket.SO_RCVLOWAT, 4)
	t.gets(b, "ab", 0)
}

func urgentAtMark(t *T, f family) {
	_, b := t.urgentPair(f)
	t.atMark(b, false)
	t.receives(b, "a")
	t.atMark(b, false)
	t.receives(b, "b")
	t.atMark(b, true)
	t.urgent(b, "!")
	t.atMark(b, true)
	t.receives(b, "c")
	t.atMark(b, false)
}

func urgentAtMarkInline(t *T, f family) {
	_, b := t.urgentPair(f)
	set(t, b, socket.SO_OOBINLINE, 1)
	t.receives(b, "ab")
	t.atMark(b, true)
	t.receives(b, "!")
	t.atMark(b, false)
}

func urgentAtMarkDatagram(t *T, f family) {
	_, err := t.udp(t.A, f).AtMark()
	t.fails("AtMark", err, syscall.ENOTTY)
}

func urgentPassed(t *T, f family) {
	_, b := t.urgentPair(f)
	t.gets(b, "ab", 0)
	t.gets(b, "cd", 0)
	t.recvErr(b, socket.MSG_OOB, syscall.EINVAL)
	equal(t, "Poll", t.events(b), out)
}

func urgentSeveral(t *T, f family) {
	a, b := t.pair(f)
	t.sendUrgent(a, "abc")
	t.urgent(b, "c")
	t.gets(b, "ab", 0)
}

func urgentGathered(t *T, f family) {
	a, b := t.pair(f)
	n, err := a.SendMsg(&socket.Message{Buffers: [][]byte{[]byte("ab"), []byte("cd"), []byte("e!")}}, socket.MSG_OOB)
	t.ok(err)
	equal(t, "sent", n, 6)
	t.urgent(b, "!")
	t.gets(b, "abcde", 0)
}

// urgentLong receives in line, since a pointer that does not reach so far may
// make Linux take bytes out of the stream that are not urgent (RFC 6093 section
// 3.2).
func urgentLong(t *T, f family) {
	a, b := t.pair(f)
	set(t, b, socket.SO_OOBINLINE, 1)
	const size = 300_000 // further than the pointer reaches
	data := pattern(size)
	sent := t.beside(func() {
		if n, err := a.Send(data, socket.MSG_OOB); n != size || err != nil {
			t.Errorf("Send: %d, %v", n, err)
		}
	})
	got := make([]byte, size)
	total := 0
	for total < size-1 {
		n, err := b.Recv(got[total:size-1], 0)
		t.ok(err)
		if n == 0 {
			break
		}
		total += n
	}
	<-sent
	equal(t, "as it was sent", string(got[:total]) == string(data[:size-1]), true)
	t.await(b, pri)
	t.atMark(b, true)
	t.receives(b, string(data[size-1:]))
}

func urgentMoved(t *T, f family) {
	a, b := t.pair(f)
	t.sendUrgent(a, "a!")
	t.await(b, pri)
	t.sendUrgent(a, "b?")
	t.until(b, "the second urgent byte here", func() bool {
		buf := make([]byte, 1)
		_, err := b.Recv(buf, socket.MSG_OOB|socket.MSG_PEEK)
		return err == nil && buf[0] == '?'
	})
	t.urgent(b, "?")
	t.gets(b, "a!b", 0)
}

func urgentMovedAtMark(t *T, f family) {
	a, b := t.pair(f)
	t.sendUrgent(a, "a!")
	t.urgent(b, "!")
	t.gets(b, "a", 0)
	t.sendUrgent(a, "b?")
	t.urgent(b, "?")
	t.gets(b, "b", 0)
}

func urgentAlone(t *T, f family) {
	a, b := t.pair(f)
	t.sendUrgent(a, "!")
	t.await(b, pri)
	equal(t, "Poll", t.events(b), pri|out)
	t.urgent(b, "!")
	equal(t, "Poll after Recv", t.events(b), out)
}

func urgentToldAgain(t *T, f family) {
	a, b := t.pair(f)
	for _, c := range []string{"1", "2", "3"} {
		told := t.beside(func() { t.await(b, pri) })
		t.sendUrgent(a, c)
		<-told
		t.urgent(b, c)
	}
}

func urgentAnnounced(t *T, f family) {
	a, b := t.smallPair(f)
	n := t.fill(a)
	set(t, a, socket.SO_SNDBUF, 256<<10)
	t.sendUrgent(a, "!")
	buf := make([]byte, 1)
	t.until(b, "announced", func() bool {
		_, err := b.Recv(buf, socket.MSG_OOB)
		return err == syscall.EAGAIN
	})
	equal(t, "Poll", t.events(b)&pri, 0)
	t.receives(b, string(make([]byte, n)))
	t.urgent(b, "!")
}

func urgentEnd(t *T, f family) {
	a, b := t.pair(f)
	t.send(a, "ab")
	t.sendUrgent(a, "!")
	t.ok(a.Shutdown(socket.SHUT_WR))
	t.await(b, rdhup)
	t.urgent(b, "!")
	t.gets(b, "ab", 0)
	t.receivesEnd(b)
}
