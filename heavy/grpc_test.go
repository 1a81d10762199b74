package heavy

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Calls of every kind over one connection with TLS.
func TestGRPC(t *testing.T) {
	everywhere(t, func(t *testing.T, n *network) {
		client, service := n.grpc(t)
		unary(t, client)
		serverStream(t, client, n.bulk)
		bidirectional(t, client, n.bulk/10)
		deadline(t, client, service)
		cancellation(t, client, service)
		healthCheck(t, client)
	})
}

// Keepalive holds a connection through hours in which nobody says anything, and
// finds out when the peer is gone.
func TestGRPCKeepalive(t *testing.T) {
	onFakeTime(t, func(t *testing.T, n *network) {
		client, service := n.grpc(t)
		failed := make(chan error, 1)
		go func() { failed <- client.Invoke(context.Background(), methodWait, &emptypb.Empty{}, &emptypb.Empty{}) }()
		<-service.begun
		select {
		case err := <-failed:
			t.Errorf("an idle call ended: %v", err)
		case <-time.After(3 * time.Hour):
		}
		n.breakLine(t)
		start := time.Now()
		if err := <-failed; status.Code(err) != codes.Unavailable {
			t.Errorf("%v, want %v", err, codes.Unavailable)
		}
		if took := time.Since(start); took > alive.Time+alive.Timeout+time.Second {
			t.Errorf("the client found out after %v", took)
		}
		<-service.ended // the server finds out, too
	})
}

// alive says when peers ask each other whether they are there; 10 s is the least
// that gRPC takes.
var alive = keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}

// grpc starts a server with the test's service and the health service, and
// returns a client of it.
func (n *network) grpc(t *testing.T) (*grpc.ClientConn, *testService) {
	t.Helper()
	serverTLS, clientTLS := n.certificates(t, "h2")
	service := newTestService()
	server := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(serverTLS)),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: alive.Time, Timeout: alive.Timeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: alive.Time / 2}),
	)
	server.RegisterService(service.description(), service)
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	l := n.listen(t)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		check(t, <-served)
	})

	client, err := grpc.NewClient("passthrough:///"+l.Addr().String(),
		grpc.WithTransportCredentials(credentials.NewTLS(clientTLS)),
		grpc.WithKeepaliveParams(alive),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return n.dial(ctx, "tcp", address)
		}))
	check(t, err)
	t.Cleanup(func() { check(t, client.Close()) })
	return client, service
}

// unary makes a hundred calls at once.
func unary(t *testing.T, client *grpc.ClientConn) {
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			in, _ := io.ReadAll(content(i * 100))
			out := new(wrapperspb.BytesValue)
			err := client.Invoke(t.Context(), methodEcho, &wrapperspb.BytesValue{Value: in}, out)
			if err != nil || !bytes.Equal(in, out.Value) {
				t.Errorf("unary: %d of %d bytes came back, or others: %v", len(out.Value), len(in), err)
			}
		})
	}
	all.Wait()
}

func serverStream(t *testing.T, client *grpc.ClientConn, size int) {
	stream, err := client.NewStream(t.Context(), streamDownload, methodDownload)
	check(t, err)
	check(t, stream.SendMsg(&wrapperspb.Int64Value{Value: int64(size)}))
	check(t, stream.CloseSend())
	if err := expect(&chunks{stream: stream}, size); err != nil {
		t.Errorf("server streaming: %v", err)
	}
}

func bidirectional(t *testing.T, client *grpc.ClientConn, size int) {
	stream, err := client.NewStream(t.Context(), streamChat, methodChat)
	check(t, err)
	both := struct {
		io.Reader
		io.Writer
	}{&chunks{stream: stream}, messages{stream}}
	if err := echo(both, size, stream.CloseSend); err != nil {
		t.Errorf("bidirectional streaming: %v", err)
	}
}

// deadline has a call end by its deadline, and the server know of it.
func deadline(t *testing.T, client *grpc.ClientConn, service *testService) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := client.Invoke(ctx, methodWait, &emptypb.Empty{}, &emptypb.Empty{}); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("deadline: %v", err)
	}
	<-service.begun
	if err := <-service.ended; err == nil {
		t.Error("deadline: the server was not told")
	}
}

// cancellation has the client give a call up, and the server know of it.
func cancellation(t *testing.T, client *grpc.ClientConn, service *testService) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- client.Invoke(ctx, methodWait, &emptypb.Empty{}, &emptypb.Empty{}) }()
	<-service.begun
	cancel()
	if err := <-failed; status.Code(err) != codes.Canceled {
		t.Errorf("cancellation: %v", err)
	}
	if err := <-service.ended; err != context.Canceled {
		t.Errorf("cancellation: the server saw %v", err)
	}
}

func healthCheck(t *testing.T, client *grpc.ClientConn) {
	r, err := grpc_health_v1.NewHealthClient(client).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil || r.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", r, err)
	}
}
