package control

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"example.com/berth/cmd/berth/internal/sockets"
)

// Server answers what is asked about a running berth.
type Server struct {
	info  Info
	table func() []sockets.Row
	l     *net.UnixListener

	done sync.WaitGroup
	room chan struct{} // one token for each client

	mu      sync.Mutex // guards what follows
	clients map[net.Conn]struct{}
	closed  bool
}

// Serve makes the control socket of a berth, and answers on it until Close.
func Serve(info Info, table func() []sockets.Row) (*Server, error) {
	d := dir()
	if err := makeDir(d); err != nil {
		return nil, err
	}
	path := filepath.Join(d, fmt.Sprintf("%d.%s.sock", info.PID, info.Name))
	_ = os.Remove(path) // of a process that had this number and was killed
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil { // the directory kept others out so far
		l.Close()
		return nil, err
	}
	s := &Server{
		info: info, table: table, l: l,
		room: make(chan struct{}, maxClients), clients: make(map[net.Conn]struct{}),
	}
	s.done.Go(s.accept)
	return s, nil
}

// Close removes the socket and ends what is being answered.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.clients {
		c.Close()
	}
	s.mu.Unlock()
	err := s.l.Close()
	s.done.Wait()
	return err
}

func (s *Server) accept() {
	for {
		s.room <- struct{}{}
		c, err := s.l.Accept()
		if err != nil {
			return // closed
		}
		s.done.Go(func() {
			defer func() { <-s.room }()
			s.serve(c)
		})
	}
}

// serve answers one client until it goes away or is silent for too long.
func (s *Server) serve(c net.Conn) {
	defer c.Close()
	if !s.enter(c) {
		return
	}
	defer s.leave(c)
	lines := bufio.NewScanner(c)
	lines.Buffer(nil, maxRequest)
	for {
		if c.SetDeadline(time.Now().Add(patience)) != nil || !lines.Scan() {
			return
		}
		if s.answer(c, lines.Bytes()) != nil {
			return
		}
	}
}

func (s *Server) enter(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.clients[c] = struct{}{}
	}
	return !s.closed
}

func (s *Server) leave(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
}

func (s *Server) answer(w io.Writer, line []byte) error {
	var q request
	var r response
	switch err := json.Unmarshal(line, &q); {
	case err != nil:
		r.Error = "not a request in JSON: " + err.Error()
	case q.Op == "info":
		r.Info = &s.info
	case q.Op == "sockets":
		rows := append([]sockets.Row{}, s.table()...) // none is an empty list
		r.Info, r.Sockets = &s.info, &rows
	default:
		r.Error = fmt.Sprintf("unknown op %q: info and sockets are known", q.Op)
	}
	return json.NewEncoder(w).Encode(&r)
}
