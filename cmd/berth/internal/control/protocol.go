package control

import (
	"time"

	"example.com/berth/cmd/berth/internal/sockets"
)

// Info says which berth it is.
type Info struct {
	PID  int    `json:"pid"`
	Name string `json:"name"`
	// Addrs are those of its host, with the lengths of their prefixes.
	Addrs   []string `json:"addrs"`
	Command []string `json:"command"`
}

// Berth is what a running one says of itself.
type Berth struct {
	Info    Info          `json:"info"`
	Sockets []sockets.Row `json:"sockets"`
}

type request struct {
	Op string `json:"op"`
}

type response struct {
	Error   string         `json:"error,omitempty"`
	Info    *Info          `json:"info,omitempty"`
	Sockets *[]sockets.Row `json:"sockets,omitempty"`
}

const (
	// maxRequest bounds the line of a request, in bytes.
	maxRequest = 4 << 10
	// maxClients bounds how many are served at once; more wait.
	maxClients = 8
	// patience is how long a client or a server may keep the other waiting.
	patience = 5 * time.Second
)
