package impair

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Trace is the rate of a link as it was recorded, in the format of mahimahi
// (Netravali et al., "Mahimahi: Accurate Record-and-Replay for HTTP", USENIX
// ATC 2015; its mm-link). It says at which milliseconds the link could deliver
// 1500 bytes. Such an opportunity carries a packet, a part of one, or several
// small ones that were waiting when it came; what it does not carry is lost.
// The last one's time is the trace's length: then it begins again.
//
// A trace does not change, and may be used by many lines.
type Trace struct {
	at []uint32 // milliseconds, in order; the last is above 0
}

const (
	// opportunityBytes is what an opportunity carries of IP packets.
	opportunityBytes = 1500
	// maxOpportunities bounds the memory that a trace takes: 16 MiB, or four
	// minutes at 200 Mbit/s.
	maxOpportunities = 1 << 22
	// maxTraceTime is the last millisecond of a trace: ten days.
	maxTraceTime = 10 * 24 * 3600 * 1000
)

// ParseTrace reads a trace: each line is a number of milliseconds, none less
// than the one before. An error names the line.
func ParseTrace(r io.Reader) (*Trace, error) {
	t := new(Trace)
	s := bufio.NewScanner(r)
	for s.Scan() {
		if err := t.add(strings.TrimSuffix(s.Text(), "\r")); err != nil {
			return nil, fmt.Errorf("impair: trace, line %d: %w", len(t.at)+1, err)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("impair: trace, line %d: %w", len(t.at)+1, err)
	}
	if len(t.at) == 0 {
		return nil, errors.New("impair: the trace has no line")
	}
	if t.at[len(t.at)-1] == 0 {
		return nil, fmt.Errorf("impair: trace, line %d: a trace that ends at 0 lasts no time", len(t.at))
	}
	t.at = slices.Clip(t.at)
	return t, nil
}

// add adds a line.
func (t *Trace) add(line string) error {
	ms, err := strconv.ParseUint(line, 10, 32)
	switch {
	case err != nil && len(line) > 40:
		return fmt.Errorf("%.40q... is not a number of milliseconds", line)
	case err != nil:
		return fmt.Errorf("%q is not a number of milliseconds", line)
	case ms > maxTraceTime:
		return fmt.Errorf("%d ms are more than ten days", ms)
	case len(t.at) > 0 && uint32(ms) < t.at[len(t.at)-1]:
		return fmt.Errorf("%d comes after %d: times do not run backwards", ms, t.at[len(t.at)-1])
	case len(t.at) == maxOpportunities:
		return fmt.Errorf("more than %d lines", maxOpportunities)
	}
	t.at = append(t.at, uint32(ms))
	return nil
}

// Length returns the time after which the trace begins again.
func (t *Trace) Length() time.Duration {
	return time.Duration(t.at[len(t.at)-1]) * time.Millisecond
}

// Rate returns the mean rate in bits a second.
func (t *Trace) Rate() int64 {
	return int64(float64(len(t.at)*opportunityBytes*8) / t.Length().Seconds())
}

// time returns when the n-th opportunity comes.
func (t *Trace) time(n int) time.Duration {
	round, i := n/len(t.at), n%len(t.at)
	return time.Duration(round)*t.Length() + time.Duration(t.at[i])*time.Millisecond
}

// after returns the first opportunity that comes later than d. One at the very
// time is over: a packet that comes then is too late for it.
func (t *Trace) after(d time.Duration) (n int) {
	d = max(d, 0)
	round := int(d / t.Length())
	rest := d - time.Duration(round)*t.Length()
	i, _ := slices.BinarySearchFunc(t.at, rest, func(ms uint32, rest time.Duration) int {
		if time.Duration(ms)*time.Millisecond > rest {
			return 1
		}
		return -1
	})
	// If none is left in this round, i is that of the first in the next one.
	return round*len(t.at) + i
}

// An opportunity is one of a trace's, with the bytes that it can still carry.
type opportunity struct {
	number, left int
}

// spend uses the opportunity, and those that follow, for length bytes.
func (o *opportunity) spend(length, slot int) {
	for length > o.left {
		length -= o.left
		o.number, o.left = o.number+1, slot
	}
	o.left -= length
}
