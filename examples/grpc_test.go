package examples

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"example.com/berth/lab"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Calls over a link that loses packets: a hundred at once, a stream that is told
// of changes, and one that ends at its deadline.
func TestGRPC(t *testing.T) { lab.Test(t, grpcCalls) }

func grpcCalls(t *testing.T, n *lab.Network) {
	web, client := lossy(n)
	service, conn := rpc(t, n, web, client)
	calls := grpc_health_v1.NewHealthClient(conn)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			resp, err := calls.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "tea"})
			if err != nil || resp.Status != grpc_health_v1.HealthCheckResponse_SERVING {
				t.Errorf("%v, %v", resp, err)
			}
		})
	}
	all.Wait()

	changes, err := calls.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "tea"})
	check(t, err)
	for i := range 20 {
		want := grpc_health_v1.HealthCheckResponse_SERVING + grpc_health_v1.HealthCheckResponse_ServingStatus(i%2)
		service.SetServingStatus("tea", want)
		change, err := changes.Recv()
		check(t, err)
		if change.Status != want {
			t.Errorf("told of %v, want %v", change.Status, want)
		}
	}

	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	slow, err := calls.Watch(ctx, &grpc_health_v1.HealthCheckRequest{Service: "tea"})
	check(t, err)
	for err == nil {
		_, err = slow.Recv()
	}
	if took := time.Since(start); status.Code(err) != codes.DeadlineExceeded || took != 3*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
}

// A client finds out that its server is unreachable, by keepalives, and gets
// through once it is not.
func TestGRPCThroughPartition(t *testing.T) { lab.Test(t, grpcThroughPartition) }

func grpcThroughPartition(t *testing.T, n *lab.Network) {
	web, client := lossy(n)
	_, conn := rpc(t, n, web, client)
	calls := grpc_health_v1.NewHealthClient(conn)
	changes, err := calls.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "tea"})
	check(t, err)
	_, err = changes.Recv()
	check(t, err)

	heal := n.Partition(web)
	start := time.Now()
	if _, err := changes.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("a stream to nobody gives %v", err)
	}
	if took := time.Since(start); took > alive.Time+alive.Timeout {
		t.Errorf("it took %v to find out", took)
	}
	time.AfterFunc(time.Hour, heal)
	if _, err := calls.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}); status.Code(err) != codes.Unavailable {
		t.Errorf("a call to nobody gives %v", err)
	}
	if s := conn.GetState(); s != connectivity.TransientFailure && s != connectivity.Connecting {
		t.Errorf("the connection is %v", s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
	defer cancel()
	_, err = calls.Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.WaitForReady(true))
	check(t, err)
	if took := time.Since(start); took < time.Hour || took > time.Hour+time.Minute {
		t.Errorf("a call got through after %v", took)
	}
}

// alive says when a client asks whether its server is there; 10 s is the least
// that gRPC takes.
var alive = keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}

// rpc starts a server with the health service, for one that is called tea, and a
// client of it.
func rpc(t *testing.T, n *lab.Network, web, client *lab.Host) (*health.Server, *grpc.ClientConn) {
	t.Helper()
	serverTLS, clientTLS := certificates(t, n, "web", "h2")
	service := health.NewServer()
	service.SetServingStatus("tea", grpc_health_v1.HealthCheckResponse_SERVING)
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(serverTLS)),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: alive.Time / 2}))
	grpc_health_v1.RegisterHealthServer(server, service)
	ln, err := web.Listen("tcp", ":50051")
	check(t, err)
	go server.Serve(ln)
	t.Cleanup(server.Stop)

	conn, err := grpc.NewClient("passthrough:///web:50051",
		grpc.WithTransportCredentials(credentials.NewTLS(clientTLS)),
		grpc.WithKeepaliveParams(alive),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, MaxDelay: 10 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return client.DialContext(ctx, "tcp", address)
		}))
	check(t, err)
	t.Cleanup(func() { check(t, conn.Close()) })
	return service, conn
}
