package berth

// A segment goes all the way to the peer's socket on the goroutine that sends it, and
// an answer that is due at once all the way back: which takes some 5.5 KB of its
// stack. A goroutine that was started for one connection has 2 KB, and Go's runtime
// doubles it when it is full: twice, deep down, where each frame that is there already
// has to be looked up and adjusted. A fifth of the time of a connection went there.

// stackRoom is what a call may take of the stack below it. With a bit more, a stack
// would have 16 KB where it has 8.
const stackRoom = 6144

// deepen has the stack grown once, while little is on it. A stack that has room
// costs a comparison.
func deepen() { grown(false) }

// grown has a frame as large as the room: its prologue asks for it.
//
//go:noinline
func grown(use bool) byte {
	if !use {
		return 0
	}
	var room [stackRoom]byte
	touch(&room)
	return room[0]
}

//go:noinline
func touch(room *[stackRoom]byte) { room[0] = 1 }
