package gosuites

// A Suite is the tests of one package.
type Suite struct {
	Package string
	// Short runs the suite with -short: without, it talks to the internet or, as
	// yamux, moves 16 GiB with a timeout that few machines keep.
	Short bool
	// Long suites run over clean loopback only, unless everything is asked for.
	Long bool
	// Skip are tests that are not run at all, as a pattern for -skip: exceptions
	// that hang, and take the others with them.
	Skip string
}

// Suites are what is run.
var Suites = []Suite{
	{Package: "net", Short: true, Skip: "^TestSplice$"},
	{Package: "net/http", Short: true, Long: true},
	{Package: "net/http/httptest"},
	{Package: "net/http/httputil"},
	{Package: "net/http/pprof", Short: true},
	{Package: "net/rpc"},
	{Package: "net/smtp"},
	{Package: "log/syslog"},
	{Package: "crypto/tls", Short: true, Long: true},
	{Package: "golang.org/x/crypto/ssh", Long: true},
	{Package: "github.com/gorilla/websocket"},
	{Package: "github.com/hashicorp/yamux", Short: true},
}
