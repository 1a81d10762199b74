package labhost

import (
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"time"

	"example.com/berth/link"
)

// A join is what a host says first.
type join struct {
	Host  string
	Shape string `json:",omitempty"` // the text of the file by which it knows the lab, if it has one
}

// A welcome is the answer.
type welcome struct {
	Error    string         `json:",omitempty"` // why it may not come; nothing else is set then
	Addrs    []netip.Prefix `json:",omitempty"`
	Gateways []netip.Addr   `json:",omitempty"`
	MTU      int            `json:",omitempty"`
	Medium   link.Medium    `json:",omitempty"`
}

// longest is how long a message or a frame may be. A shape has 1 MiB at most, and
// goes as its hash.
const longest = 70_000

// patience is how long the other side may take to say who it is.
const patience = 10 * time.Second

func send(c *net.UnixConn, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = c.Write(b)
	return err
}

var errMessage = errors.New("it is not berth that answers there")

func receive(c *net.UnixConn, v any) error {
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	b := make([]byte, longest)
	n, err := c.Read(b)
	if err != nil {
		return err
	}
	if json.Unmarshal(b[:n], v) != nil {
		return errMessage
	}
	return c.SetReadDeadline(time.Time{})
}
