// Package eventloop serves many descriptors on one goroutine, which makes the
// system calls itself: what has become readable is read, and written on, without a
// change of goroutine, and who waits is a few words of state and no stack.
//
//	l, err := eventloop.New()
//	at, err := l.Add(fd, eventloop.In|eventloop.Out|eventloop.Edge, handler)
//	l.Post(runner)          // from any goroutine: runner.Run on the loop's
//	l.At(&timer, deadline)  // on the loop's
//	l.Close()
//
// # Its parts
//
// loop_linux.go waits (epoll) and takes turns: what was posted, what is ready, whose
// time has come. slots.go are the descriptors, timers.go the deadlines, queue.go
// what was posted, breather.go when to let the scheduler see the goroutine: they
// decide, and know nothing of the system.
//
// # Limits
//
// It runs on Linux; elsewhere New fails with ENOTSUP. Handlers must not block: all
// others wait. Whoever has much to do does a part of it, and posts the rest.
package eventloop
