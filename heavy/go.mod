module example.com/berth/heavy

go 1.26.0

require (
	example.com/berth v0.0.0
	github.com/hashicorp/yamux v0.1.2
	github.com/quic-go/quic-go v0.65.0
	golang.org/x/crypto v0.58.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
)

replace example.com/berth => ../
