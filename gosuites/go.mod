module example.com/berth/gosuites

go 1.26.0

require (
	example.com/berth v0.0.0
	github.com/gorilla/websocket v1.5.3
	github.com/hashicorp/yamux v0.1.2
	golang.org/x/crypto v0.58.0
)

require golang.org/x/sys v0.49.0 // indirect

replace example.com/berth => ../
