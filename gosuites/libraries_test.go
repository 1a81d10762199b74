package gosuites_test

// The libraries whose suites are run are the module's dependencies by these.
import (
	_ "github.com/gorilla/websocket"
	_ "github.com/hashicorp/yamux"
	_ "golang.org/x/crypto/ssh"
)
