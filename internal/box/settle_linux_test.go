package box

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestCleanMappings(t *testing.T) {
	const text = `00400000-00c1c000 r-xp 00000000 fe:00 131 /usr/bin/berth
Rss:                6896 kB
Private_Dirty:         0 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
00c1c000-0150f000 r--p 0081c000 fe:00 131 /usr/bin/berth
Private_Dirty:         0 kB
Anonymous:             8 kB
0150f000-01575000 rw-p 0110f000 fe:00 131 /usr/bin/berth
Anonymous:             0 kB
71f45800-71f45c00 r--p 00000000 00:00 0
Anonymous:             0 kB
77c89000-77c8d000 r--p 001cf000 fe:00 99 /usr/lib/libc.so.6
Anonymous:             0 kB
Swap:                 16 kB
77ad0000-77ae0000 r--p 00000000 fe:00 98 /usr/lib/libnew.so
Private_Dirty:        64 kB
Anonymous:             0 kB
77ae0000-77c36000 r-xp 00026000 fe:00 99 /usr/lib/libc.so.6
Anonymous:             0 kB
7ffdf800-7ffdf900 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0xc1c000}, {0x77ad0000, 0x77ae0000}, {0x77ae0000, 0x77c36000}}
	if got := cleanMappings(strings.NewReader(text)); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// The process goes on as before, and finds mappings of its own.
func TestSettle(t *testing.T) {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	if len(cleanMappings(f)) == 0 {
		t.Error("no mapping of the executable is found")
	}
	Settle()
}
