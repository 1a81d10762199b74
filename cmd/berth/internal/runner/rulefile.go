package runner

import (
	"io"
	"os"
	"sync"
	"time"

	"example.com/berth/internal/policy"
)

// ruleFile is a policy file, which is read again when it changes.
type ruleFile struct {
	path  string
	rules []*policy.Rule // as they were when it was read first
	lines []*policy.Line // likewise

	stamp   os.FileInfo
	stop    chan struct{}
	running sync.WaitGroup
}

// lookEvery is how often the file is looked at.
const lookEvery = time.Second

// maxRuleFile is more than policy.ParseFile takes.
const maxRuleFile = 2 << 20

// newRuleFile reads the file. The error is a policy.FileErrors for what is wrong
// in it.
func newRuleFile(path string) (*ruleFile, error) {
	f := &ruleFile{path: path, stop: make(chan struct{})}
	if path == "" {
		return f, nil
	}
	f.stamp, _ = os.Stat(path)
	file, err := f.read()
	if err == nil {
		f.rules, f.lines = file.Rules, file.Lines
	}
	return f, err
}

func (f *ruleFile) read() (*policy.File, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxRuleFile))
	if err != nil {
		return nil, err
	}
	return policy.ParseFile(f.path, text)
}

// follow calls a function with what the file says, or what is wrong with it, each time
// it has changed.
func (f *ruleFile) follow(changed func(*policy.File, error)) {
	if f.path == "" {
		return
	}
	f.running.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-f.stop:
				return
			case <-tick.C:
			}
			if f.isNew() {
				changed(f.read())
			}
		}
	})
}

// isNew tells whether the file is another than it was. Without one nothing changes:
// editors take it away for a moment.
func (f *ruleFile) isNew() bool {
	now, err := os.Stat(f.path)
	if err != nil {
		return false
	}
	before := f.stamp
	f.stamp = now
	return before == nil || !sameFile(before, now)
}

// sameFile tells whether a file is as it was.
func sameFile(before, now os.FileInfo) bool {
	return os.SameFile(before, now) && before.ModTime().Equal(now.ModTime()) && before.Size() == now.Size()
}

// close ends following.
func (f *ruleFile) close() {
	close(f.stop)
	f.running.Wait()
}
