package perf

import (
	"errors"
	"fmt"
	"time"
)

// Params are what a test does.
type Params struct {
	UDP bool `json:"udp,omitempty"`
	// Direction is who sends.
	Direction Direction `json:"direction"`
	// Streams is how many there are in each direction.
	Streams int `json:"streams"`
	// Time ends the test, unless Bytes is not 0: then it ends when all senders
	// of a direction together have sent so many.
	Time  time.Duration `json:"time"`
	Bytes int64         `json:"bytes,omitempty"`
	// Rate bounds each stream, in bits a second; 0 does not.
	Rate int64 `json:"rate,omitempty"`
	// Length is that of a write, or of a datagram's payload.
	Length int `json:"length"`
}

// Direction says which side sends.
type Direction string

// The directions.
const (
	Forward Direction = "forward" // the client sends
	Reverse Direction = "reverse" // the server sends
	Both    Direction = "both"
)

// Bounds of parameters.
const (
	MaxStreams  = 128
	MaxTime     = 24 * time.Hour
	MaxLength   = 1 << 20 // of a write
	MinDatagram = headerLen
	MaxDatagram = 65507
)

// Check tells what cannot be.
func (p *Params) Check() error {
	least, most := 1, MaxLength
	if p.UDP {
		least, most = MinDatagram, MaxDatagram
	}
	switch {
	case p.Direction != Forward && p.Direction != Reverse && p.Direction != Both:
		return fmt.Errorf("unknown direction %q", p.Direction)
	case p.Streams < 1 || p.Streams > MaxStreams:
		return fmt.Errorf("%d streams: want 1 to %d", p.Streams, MaxStreams)
	case p.Bytes < 0 || p.Rate < 0:
		return errors.New("a negative number")
	case p.Bytes == 0 && (p.Time <= 0 || p.Time > MaxTime):
		return fmt.Errorf("a time of %v: want more than 0 and at most %v", p.Time, MaxTime)
	case p.Length < least || p.Length > most:
		return fmt.Errorf("a length of %d: want %d to %d", p.Length, least, most)
	}
	return nil
}

// sides are the streams as one side has them: with Both, the first half is from
// the client to the server, the second half back.
func (p *Params) sides(client bool) (all []*stream) {
	add := func(fromClient bool) {
		for range p.Streams {
			all = append(all, &stream{id: len(all) + 1, sends: fromClient == client})
		}
	}
	if p.Direction != Reverse {
		add(true)
	}
	if p.Direction != Forward {
		add(false)
	}
	return all
}
