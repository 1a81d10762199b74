package perf

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Version is the protocol's. A server refuses others.
const Version = 1

// hello is the line that a connection begins with:
//
//	berth-perf/1 control
//	berth-perf/1 data COOKIE STREAM
type hello struct {
	version int
	cookie  string // empty on a control connection
	stream  int
}

// maxHello bounds the line.
const maxHello = 128

var errHello = errors.New("it does not speak this protocol")

func (h hello) String() string {
	if h.cookie == "" {
		return fmt.Sprintf("berth-perf/%d control\n", h.version)
	}
	return fmt.Sprintf("berth-perf/%d data %s %d\n", h.version, h.cookie, h.stream)
}

// readHello reads the line byte by byte, since what follows is not its own.
func readHello(r io.Reader) (hello, error) {
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, b); err != nil {
			return hello{}, err
		}
		if b[0] == '\n' {
			return parseHello(string(line))
		}
		if line = append(line, b[0]); len(line) >= maxHello {
			return hello{}, errHello
		}
	}
}

func parseHello(line string) (h hello, err error) {
	rest, ok := strings.CutPrefix(line, "berth-perf/")
	if !ok {
		return h, errHello
	}
	words := strings.Split(rest, " ")
	if h.version, err = strconv.Atoi(words[0]); err != nil {
		return h, errHello
	}
	switch {
	case len(words) == 2 && words[1] == "control":
		return h, nil
	case len(words) == 4 && words[1] == "data" && len(words[2]) == cookieLen:
		h.cookie = words[2]
		if h.stream, err = strconv.Atoi(words[3]); err == nil {
			return h, nil
		}
	}
	return h, errHello
}

// cookieLen is the length of a cookie in characters.
const cookieLen = 26

// newCookie makes what data connections show, so that nobody else's are taken.
func newCookie() string { return rand.Text() }
