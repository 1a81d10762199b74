package sockets

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Table is how rows are printed.
type Table struct {
	NoHeader bool // leave the head out
	Info     bool // TCP's internals under each row
	Extended bool // owner, inode, memory
	Timers   bool
	Process  bool // who has the socket open
}

// columns are the heads; those of addresses are two each, about the colon.
var columns = []string{"Netid", "State", "Recv-Q", "Send-Q", "Local Address", "Port", "Peer Address", "Port"}

const (
	localAddress = 4
	peerAddress  = 6
)

// Print writes rows in the columns of ss.
func (t *Table) Print(w io.Writer, rows []Row) error {
	cells := make([][]string, 0, len(rows)+1)
	if !t.NoHeader {
		cells = append(cells, append(columns[:len(columns):len(columns)], t.lastHead()))
	}
	for i := range rows {
		cells = append(cells, t.cells(&rows[i]))
	}
	widths := make([]int, len(columns))
	for _, c := range cells {
		for i := range widths {
			widths[i] = max(widths[i], utf8.RuneCountInString(c[i]))
		}
	}
	out := bufio.NewWriter(w)
	for i, c := range cells {
		fmt.Fprintln(out, strings.TrimRight(line(c, widths), " "))
		if row := i + len(rows) - len(cells); t.Info && row >= 0 && rows[row].hasInfo() {
			fmt.Fprintf(out, "\t %s\n", rows[row].TCP.line())
		}
	}
	return out.Flush()
}

// hasInfo tells whether there is something to say of the connection: a listener
// is none.
func (r *Row) hasInfo() bool { return r.TCP != nil && r.State != "LISTEN" }

func (t *Table) lastHead() string {
	if t.Process {
		return "Process"
	}
	return ""
}

func (t *Table) cells(r *Row) []string {
	return []string{
		r.Netid, r.State, fmt.Sprint(r.RecvQ), fmt.Sprint(r.SendQ),
		r.host(r.Local, true), r.port(r.Local, true),
		r.host(r.Peer, false), r.port(r.Peer, false),
		t.more(r),
	}
}

// more is what stands behind the columns.
func (t *Table) more(r *Row) string {
	var b builder
	if t.Process && len(r.Users) > 0 {
		var users []string
		for _, u := range r.Users {
			user := fmt.Sprintf("(%q,pid=%d", u.Name, u.PID)
			if u.FD != nil {
				user += fmt.Sprintf(",fd=%d", *u.FD)
			}
			users = append(users, user+")")
		}
		b.add("users:(%s)", strings.Join(users, ","))
	}
	if t.Timers && r.Timer != nil {
		b.add("timer:(%s,%s,%d)", r.Timer.Kind, duration(r.Timer.Milliseconds), r.Timer.Retries)
	}
	if t.Extended {
		if r.UID != 0 {
			b.add("uid:%d", r.UID)
		}
		b.number("ino", uint64(r.Inode))
		b.number("mem", uint64(r.Memory))
		b.flag("orphan", r.Orphan)
	}
	return b.String()
}

// duration shows milliseconds as ss does.
func duration(ms int64) string {
	switch {
	case ms >= 60_000:
		return fmt.Sprintf("%dmin%dsec", ms/60_000, ms/1000%60)
	case ms >= 1000:
		return fmt.Sprintf("%d.%03dsec", ms/1000, ms%1000)
	}
	return fmt.Sprintf("%dms", ms)
}

// line aligns cells: numbers and words to the left, addresses about the colon.
func line(c []string, widths []int) string {
	var b strings.Builder
	for i, w := range widths {
		fill := strings.Repeat(" ", w-utf8.RuneCountInString(c[i]))
		switch i {
		case localAddress, peerAddress:
			b.WriteString(fill + c[i] + ":")
		default:
			b.WriteString(c[i] + fill + " ")
		}
	}
	return b.String() + c[len(widths)]
}
