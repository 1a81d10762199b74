package wire

import "sync"

// maxStations is the most addresses that a switch remembers. When one more
// appears, the one learned longest ago is forgotten: a host that still talks is
// learned anew with its next frame, and one that sends from made-up addresses
// costs no more than this table.
const maxStations = 4096

// stations is what a switch knows of who is where.
type stations struct {
	mu    sync.RWMutex // guards all below
	at    map[[6]byte]*Device
	order [][6]byte // a ring in the order of learning
	first int       // the oldest, when the ring is full

	learned, moved, evicted uint64
}

// find returns the port of a station, or nil.
func (s *stations) find(a [6]byte) *Device {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.at[a]
}

// learn notes that a station is at a port.
func (s *stations) learn(a [6]byte, d *Device) {
	if s.find(a) == d {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !d.willing() {
		return // closed meanwhile, and about to be forgotten, or already
	}
	if s.at == nil {
		s.at = make(map[[6]byte]*Device)
	}
	if s.at[a] != nil {
		s.at[a] = d
		s.moved++
		return
	}
	s.at[a] = d
	s.learned++
	if len(s.order) < maxStations {
		s.order = append(s.order, a)
		return
	}
	delete(s.at, s.order[s.first])
	s.order[s.first] = a
	s.first = (s.first + 1) % maxStations
	s.evicted++
}

// forget forgets the stations at a port.
func (s *stations) forget(d *Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	order := make([][6]byte, 0, len(s.order))
	for i := range s.order {
		a := s.order[(s.first+i)%len(s.order)]
		if s.at[a] == d {
			delete(s.at, a)
		} else {
			order = append(order, a)
		}
	}
	s.order, s.first = order, 0
}

func (s *stations) addTo(st *SwitchStats) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	st.Stations = len(s.at)
	st.Learned, st.Moved, st.Evicted = s.learned, s.moved, s.evicted
}
