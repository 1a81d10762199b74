package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// List asks all running berths of the user for their sockets, in the order of
// their process numbers. Sockets that nobody answers on are removed. One that
// answers badly is an error, beside the answers of the others.
func List(ctx context.Context) ([]Berth, error) {
	d := dir()
	if err := checkDir(d); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(d, "*.sock"))
	if err != nil {
		return nil, err
	}
	var all []Berth
	var errs []error
	for _, path := range paths {
		b, err := ask(ctx, path)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			_ = os.Remove(path) // the next who looks tries again
		case errors.Is(err, fs.ErrNotExist): // it has just ended
		case err != nil:
			errs = append(errs, fmt.Errorf("ask %s: %w", path, err))
		default:
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b Berth) int { return a.Info.PID - b.Info.PID })
	return all, errors.Join(errs...)
}

// Is tells whether a person who says s means this one: its process number, or
// the name of its TUN.
func (b *Berth) Is(s string) bool {
	return s == b.Info.Name || s == strconv.Itoa(b.Info.PID)
}

// ask asks one berth for its sockets.
func ask(ctx context.Context, path string) (b Berth, err error) {
	dialer := net.Dialer{Timeout: patience}
	c, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return b, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return b, err
	}
	if err := json.NewEncoder(c).Encode(request{Op: "sockets"}); err != nil {
		return b, err
	}
	var r response
	if err := json.NewDecoder(c).Decode(&r); err != nil {
		return b, err
	}
	if r.Error != "" || r.Info == nil || r.Sockets == nil {
		return b, fmt.Errorf("it answered %q", r.Error)
	}
	return Berth{Info: *r.Info, Sockets: *r.Sockets}, nil
}
