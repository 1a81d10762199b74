package socket

// Events is a set of conditions that Poll waits for and reports, as in poll(2).
type Events uint16

// The conditions. POLLERR, POLLHUP and POLLNVAL are always reported.
const (
	POLLIN    Events = 0x1    // Recv or Accept would not block
	POLLPRI   Events = 0x2    // urgent data
	POLLOUT   Events = 0x4    // Send would not block; a connect has ended
	POLLERR   Events = 0x8    // an error waits in SO_ERROR or in the error queue
	POLLHUP   Events = 0x10   // both directions of the stream have ended
	POLLNVAL  Events = 0x20   // the socket is closed
	POLLRDHUP Events = 0x2000 // the peer has ended its half of the stream
)

// PollFD is one entry of a call to [Provider.Poll].
type PollFD struct {
	Socket  Socket
	Events  Events // what to wait for
	Revents Events // what there is; set by Poll
}

func (e Events) String() string {
	if e == 0 {
		return "0"
	}
	names := []struct {
		bit  Events
		name string
	}{
		{POLLIN, "POLLIN"},
		{POLLPRI, "POLLPRI"},
		{POLLOUT, "POLLOUT"},
		{POLLERR, "POLLERR"},
		{POLLHUP, "POLLHUP"},
		{POLLNVAL, "POLLNVAL"},
		{POLLRDHUP, "POLLRDHUP"},
	}
	set := ""
	for _, n := range names {
		if e&n.bit == 0 {
			continue
		}
		if set != "" {
			set += "|"
		}
		set += n.name
	}
	return set
}
