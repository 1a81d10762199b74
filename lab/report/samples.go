package report

import "fmt"

// samples fills the columns of TCP's state. Where there are too many, each end
// of a connection gives up as many of its own as the others.
func (d *document) samples(r *Recording, a *analysis) {
	c := &d.Samples
	stride := (len(r.Samples) + MaxSamples - 1) / MaxSamples
	if stride > 1 {
		d.Truncated = append(d.Truncated, fmt.Sprintf("of the samples of TCP's state each %d. is in this page", stride))
	}
	seen := make(map[way]int)
	states := make(map[string]int)
	var last int64
	for i := range r.Samples {
		s := &r.Samples[i]
		w, ok := a.stream(s)
		if !ok {
			continue
		}
		seen[w]++
		if stride > 1 && seen[w]%stride != 1 {
			continue
		}
		c.At = append(c.At, int64(s.At)-last)
		last = int64(s.At)
		c.Flow = append(c.Flow, w.flow)
		c.Back = append(c.Back, side(w.back))
		c.Node = append(c.Node, s.Node)
		state, known := states[s.State]
		if !known {
			state = len(c.States)
			states[s.State] = state
			c.States = append(c.States, s.State)
		}
		c.State = append(c.State, state)
		c.values(s)
		stream := &a.flows.all[w.flow].streams[side(w.back)]
		c.Una = append(c.Una, stream.relative(s.Una))
		c.Nxt = append(c.Nxt, stream.relative(s.Nxt))
	}
}

func (c *sampleData) values(s *Sample) {
	c.Cwnd = append(c.Cwnd, s.Cwnd)
	c.SSThresh = append(c.SSThresh, s.SSThresh)
	c.Flight = append(c.Flight, s.Flight)
	c.SndWnd = append(c.SndWnd, s.SndWnd)
	c.RcvWnd = append(c.RcvWnd, s.RcvWnd)
	c.SRTT = append(c.SRTT, int64(s.SRTT))
	c.RTO = append(c.RTO, int64(s.RTO))
}
