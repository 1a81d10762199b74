package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/berth/cmd/berth/internal/labhost"
	"example.com/berth/internal/box"
	"example.com/berth/internal/eventloop"
	"example.com/berth/internal/gateway"
	"example.com/berth/internal/policy"
)

// An End is how a program ended.
type End struct {
	box.Status
	// Interrupted: the signal that killed it was SIGINT, which this process got, too,
	// as from the terminal.
	Interrupted bool
}

// Run runs the program, and returns how it ended. The error is why it could not
// begin: a *box.ProgramError if it was the program's own fault.
func Run(o Options) (end End, err error) {
	r := &run{Options: o}
	if o.Ask != 0 {
		if r.term, err = openTerminal(); err != nil {
			return end, err
		}
		defer r.term.close()
	}
	if r.file, err = newRuleFile(o.Policy); err != nil {
		return end, err
	}
	if r.tell, err = newTeller(o); err != nil {
		return end, err
	}
	defer func() { err = errors.Join(err, r.tell.close()) }()
	signals := catchSignals() // what comes before the program is there waits for it
	defer signal.Stop(signals)
	if err := r.open(); err != nil {
		return end, errors.Join(err, r.close())
	}
	if err := r.box.Run(); err != nil {
		return end, errors.Join(err, r.close())
	}
	over := make(chan struct{})
	interrupted := make(chan bool, 1)
	go func() { interrupted <- r.forward(signals, over) }()
	box.Settle()
	end.Status = r.box.Wait()
	close(over)
	r.asker.close()
	r.drain()
	end.Interrupted = end.Signal == syscall.SIGINT && (<-interrupted || comes(signals, os.Interrupt))
	return end, r.close()
}

// run is a program on its network.
type run struct {
	Options
	tell   *teller
	file   *ruleFile
	box    *box.Box
	wire   *wire
	gate   *gateway.Gateway
	policy *policy.Policy
	seat   *labhost.Seat   // in a lab; then there is no gateway
	term   *terminal       // nil if nobody is to be asked
	asker  *asker          // likewise
	loop   *eventloop.Loop // that carries all, nil in a lab or where there is none

	unfollow func() // ends the look at the machine's addresses; nil where there is none

	lines atomic.Pointer[[]*policy.Line]

	bursts *bursts // of flows

	mu    sync.Mutex      // guards flows
	flows map[uint64]bool // that have begun
	busy  int             // how many of them are connections
	idle  chan struct{}   // told when busy becomes 0
}

// open makes the program's network.
func (r *run) open() (err error) {
	cfg := box.Config{Args: r.Args, MTU: r.MTU, Root: r.Root, LetGo: true}
	switch {
	case r.Lab.Lab != "":
		if err := r.join(&cfg); err != nil {
			return err
		}
	case r.Net != None:
		cfg.Addrs, cfg.Gateways = programAddrs, gateways()
		if loop, err := eventloop.New(); err == nil {
			r.loop, cfg.Poller = loop, loop
		}
		fallthrough
	default:
		cfg.Overlays = r.overlays()
	}
	if r.box, err = box.Start(cfg); err != nil {
		return err
	}
	for _, n := range r.box.Notes() {
		switch {
		case n.Missing == resolvConfPath && cfg.Gateways != nil && r.seat == nil && !r.Quiet:
			r.tell.say("%s: it will find no names", n.Text)
		case r.Verbose:
			r.tell.say("%s", n.Text)
		}
	}
	if r.box.Device() == nil {
		return nil
	}
	var find func(policy.Flow) int
	if r.seat == nil && (len(r.Lines) > 0 || r.Policy != "") {
		find = func(f policy.Flow) int { return r.policy.Line(time.Now(), f, *r.lines.Load()) }
	}
	if r.wire, err = r.newWire(r.box.Device(), find); err != nil {
		return errors.Join(err, r.box.Device().Close())
	}
	if r.seat != nil {
		return r.carry()
	}
	if err := r.openGateway(); err != nil {
		return err
	}
	for _, p := range r.Publish {
		if err := r.publish(p); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) openGateway() (err error) {
	book := r.makeRules()
	if err := r.drawLines(r.file.lines); err != nil {
		return errors.Join(err, r.wire.Close())
	}
	r.flows, r.idle, r.bursts = make(map[uint64]bool), make(chan struct{}, 1), newBursts()
	names := &resolver{policy: r.policy, servers: func() []netip.AddrPort { return r.DNS }, tell: r.tell, local: r.Net == HostOnly}
	if len(r.DNS) == 0 {
		names.servers = (&serverList{path: resolvConfPath}).get
	}
	r.gate, err = gateway.New(gateway.Config{
		Device: r.wire, Addrs: gatewayAddrs, Loop: r.loop,
		Judge:   &judge{Policy: r.policy, net: r.Net, loopback: r.Loopback},
		Prompt:  r.term == nil, // only a person takes his time
		Observe: r.observe, NextID: r.tell.nextID, Alias: r.aliases(), DNS: names.answer,
	})
	if err != nil {
		return errors.Join(err, r.wire.Close())
	}
	r.unfollow = followAddrs(func() { r.policy.SetNetworks(ownNetworks()) })
	r.file.follow(func(file *policy.File, err error) {
		if err == nil {
			err = r.drawLines(file.Lines)
		}
		if err != nil {
			r.tell.say("the rules stay as they were: %v", err)
			return
		}
		book.read(file.Rules)
		r.tell.say("the rules are those of %s as it is now", r.Policy)
	})
	return nil
}

// drawLines makes the lines that lead to some destinations those of flags and of the
// file as it is now.
func (r *run) drawLines(file []*policy.Line) error {
	all := slices.Concat(r.Lines, file)
	r.lines.Store(&all)
	if r.wire.lines == nil {
		return nil
	}
	var each []ways
	for i, l := range all {
		down, up := l.Configs(r.Seed + 2*uint64(i+1))
		each = append(each, ways{down, up})
	}
	return r.wire.lines.set(each)
}

// makeRules makes the policy, and who is asked where it does not decide.
func (r *run) makeRules() *rulebook {
	book := &rulebook{flags: r.Rules, file: r.file.rules}
	cfg := r.policyConfig(slices.Concat(r.Rules, r.file.rules))
	if r.term != nil {
		r.asker = newAsker(r.Ask,
			func(ctx context.Context, text string, clear func(string) bool) (string, error) {
				return r.term.ask(ctx, r.box, text, clear)
			},
			func(rule *policy.Rule) {
				book.add(rule)
				r.tell.ruled(rule)
			})
		cfg.Ask = askUnless(r.Loopback, r.asker.ask)
	}
	r.policy = policy.New(cfg)
	book.policy = r.policy
	return book
}

// publish lets the outside reach a port of the program's.
func (r *run) publish(p Port) error {
	at, err := r.gate.Publish(p.Network, p.Outside, netip.AddrPortFrom(programAddrs[0].Addr(), p.Inside))
	if err != nil {
		return fmt.Errorf("publish %s %s: %w", p.Network, p.Outside, plain(err))
	}
	if r.Verbose || wantsPort(p.Outside) {
		r.tell.say("%s %v is port %d of the program", p.Network, at, p.Inside)
	}
	return nil
}

// wantsPort tells whether any port was asked for, so that only berth knows which.
func wantsPort(outside string) bool {
	_, port, err := net.SplitHostPort(outside)
	n, _ := strconv.Atoi(port)
	return err == nil && n == 0
}

// plain is an error without the call and the address that it names.
func plain(err error) error {
	if op, ok := err.(*net.OpError); ok {
		err = op.Err
	}
	if sys, ok := err.(*os.SyscallError); ok {
		err = sys.Err
	}
	return err
}

// observe is told what happens to flows.
func (r *run) observe(e gateway.Event) {
	r.tell.flow(e)
	r.bursts.note()
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.flows[e.ID]
	switch {
	case e.Inwards:
	case e.Kind == gateway.Begun && !known:
		r.flows[e.ID] = true
		r.policy.Begin(e.Flow, e.Verdict)
		if e.Flow.Proto == policy.TCP {
			r.busy++
		}
	case known && e.Kind == gateway.Ended:
		delete(r.flows, e.ID)
		r.policy.End(e.Time, e.Flow)
		if e.Flow.Proto == policy.TCP {
			if r.busy--; r.busy == 0 {
				select {
				case r.idle <- struct{}{}:
				default:
				}
			}
		}
	}
}

// drainTime is how long connections may go on after the program has ended.
const drainTime = 2 * time.Second

// drain lets connections end that the program left to the kernel: what it wrote
// last is still on its way, as it would be without berth.
func (r *run) drain() {
	if r.seat != nil {
		r.seat.Drain()
	}
	if r.gate == nil {
		return
	}
	late := time.NewTimer(drainTime)
	defer late.Stop()
	for {
		r.mu.Lock()
		busy := r.busy
		r.mu.Unlock()
		if busy == 0 {
			return
		}
		select {
		case <-r.idle:
		case <-late.C:
			return
		}
	}
}

// close ends what is left, in the order in which it was made backwards.
func (r *run) close() error {
	var errs []error
	r.file.close()
	if r.unfollow != nil {
		r.unfollow()
	}
	r.asker.close() // the gateway waits for flows that wait for an answer
	if r.box != nil {
		errs = append(errs, r.box.Close())
	}
	if r.seat != nil {
		errs = append(errs, r.leave())
	}
	if r.gate != nil {
		errs = append(errs, r.gate.Close())
		r.bursts.close()
	}
	if r.loop != nil {
		errs = append(errs, r.loop.Close())
	}
	if r.wire != nil {
		errs = append(errs, r.wire.finish())
	}
	return errors.Join(errs...)
}

// catchSignals takes the signals that are meant for the program, except what this
// process was started to ignore.
func catchSignals() chan os.Signal {
	signals := make(chan os.Signal, 16)
	for _, s := range box.Forwarded {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	return signals
}

// lateSignal is how long this process's copy of a signal may be on its way when the
// program has already died of its own.
const lateSignal = 200 * time.Millisecond

// comes tells whether a signal comes soon.
func comes(signals <-chan os.Signal, wanted os.Signal) bool {
	late := time.NewTimer(lateSignal)
	defer late.Stop()
	for {
		select {
		case s := <-signals:
			if s == wanted {
				return true
			}
		case <-late.C:
			return false
		}
	}
}

// forward sends the program what is sent to this process, until it is over. It tells
// whether there was an interrupt.
func (r *run) forward(signals <-chan os.Signal, over <-chan struct{}) (interrupted bool) {
	for {
		select {
		case s := <-signals:
			interrupted = interrupted || s == os.Interrupt
			if r.asker != nil && !slices.Contains(box.Unasked, s) {
				r.asker.interrupted() // the program hears of it when it goes on
			}
			_ = r.box.Signal(s) // it may just have ended
		case <-over:
			return interrupted
		}
	}
}
