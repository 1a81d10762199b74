package demo

import "example.com/berth/internal/ladder"

// Direction is what passed the wire from one host to the other.
type Direction struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Packets int    `json:"packets"`
	// Bytes are those of the transports' payloads.
	Bytes int `json:"bytes"`
	Lost  int `json:"lost"`
	// Resent are segments of TCP that were sent again.
	Resent int `json:"resent"`
}

func directions(events []ladder.Event) [2]Direction {
	d := [2]Direction{{From: names[0], To: names[1]}, {From: names[1], To: names[0]}}
	for _, e := range events {
		p := e.Packet
		if p == nil {
			continue
		}
		d[p.From].Packets++
		d[p.From].Bytes += p.Len
		if p.Lost != "" {
			d[p.From].Lost++
		}
		if p.Resent {
			d[p.From].Resent++
		}
	}
	return d
}
