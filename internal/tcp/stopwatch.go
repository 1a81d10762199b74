package tcp

import "time"

// A stopwatch sums up time: while it runs it is when it would have been started
// to show what it does, else the negative of that. The zero value stands still at
// zero.
type stopwatch time.Duration

func (w *stopwatch) start(now time.Duration) {
	if *w <= 0 {
		*w += stopwatch(now)
	}
}

func (w *stopwatch) stop(now time.Duration) {
	if *w > 0 {
		*w -= stopwatch(now)
	}
}

// total is what it shows.
func (w stopwatch) total(now time.Duration) time.Duration {
	w.stop(now)
	return -time.Duration(w)
}

// limits tell what a busy sender waited for, as TCP_INFO has it: for the peer's
// window, or for the user, whom the send buffer kept from writing. What is left
// of the busy time is the network's.
type limits struct{ window, buffer stopwatch }

// noteLimit is called when no more new data can be sent.
func (c *Conn) noteLimit(now time.Duration, why blocked) {
	window := why == blockedByWindow && c.unsent() > 0
	buffer := why == nothingToSend && c.refused && c.fl.len() > 0
	if c.rare == nil && !window && !buffer {
		return
	}
	l := &c.need().limits
	l.window.set(now, window)
	l.buffer.set(now, buffer)
}

func (w *stopwatch) set(now time.Duration, on bool) {
	if on {
		w.start(now)
	} else {
		w.stop(now)
	}
}

// noteBusy is called where the send queue may have begun or ceased to be empty.
func (c *Conn) noteBusy(now time.Duration) {
	c.busy.set(now, c.sendQ.queued > 0)
	if c.rare != nil && c.sendQ.queued == 0 {
		c.rare.limits.window.stop(now)
		c.rare.limits.buffer.stop(now)
	}
}
