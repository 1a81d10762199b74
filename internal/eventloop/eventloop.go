package eventloop

// Events are what a descriptor is watched for, and what it is ready for.
type Events uint32

// The events. They have the values of epoll.
const (
	In   Events = 0x1     // it can be read
	Out  Events = 0x4     // it can be written
	Err  Events = 0x8     // it has an error; always watched for
	Hup  Events = 0x10    // both halves are over; always watched for
	End  Events = 0x2000  // the peer's half is over (EPOLLRDHUP)
	Edge Events = 1 << 31 // only changes are told: who is called reads, or writes, until EAGAIN
)

// A Handler is called on the loop's goroutine when its descriptor is ready.
type Handler interface{ Ready(Events) }

// A Runner is something to be done on the loop's goroutine.
type Runner interface{ Run() }

// Func is a function as a Runner.
type Func func()

// Run implements Runner.
func (f Func) Run() { f() }
