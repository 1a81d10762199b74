package nets

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// maxEcho is the most bytes that the echo on berth's sockets may have, 3.2 MB, which is
// hardly more than it has (the linker fills pages of 4 kB): whoever needs more looks at
// what is linked, and why.
//
//	go build -o echo ./echo/berth && go tool nm -size -sort size -type echo | less
//	go build -o echo -ldflags=-dumpdep ./echo/berth 2>&1 | grep -- '-> NAME'
//
// Costly are tables of functions (which keep alive what nobody calls), what package
// slices makes anew for each type (see internal/lean), large functions that the
// compiler copies to where they are called, and structs that could be compared.
// A byte of code is 2.3 of the program.
const maxEcho = 3_200_000

func TestTheEchoStaysSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program")
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" || !strings.HasPrefix(runtime.Version(), "go1.26") {
		t.Skip("the limit is that of Go 1.26 on linux/amd64")
	}
	size, err := build("berth", filepath.Join(t.TempDir(), "echo"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, at most %d", size, maxEcho)
	if size > maxEcho {
		t.Errorf("the echo has %d bytes, %d more than it may", size, size-maxEcho)
	}
}
