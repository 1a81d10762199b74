package heavy

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The service berth.Test, written by hand: its messages are well-known types, so
// that no generated code is needed.
const (
	methodEcho     = "/berth.Test/Echo"     // BytesValue to BytesValue
	methodDownload = "/berth.Test/Download" // Int64Value to a stream of BytesValue
	methodChat     = "/berth.Test/Chat"     // streams of BytesValue both ways
	methodWait     = "/berth.Test/Wait"     // Empty; answers when the call ends
)

// chunk is the size of the messages of streams.
const chunk = 16 << 10

var (
	streamDownload = &grpc.StreamDesc{StreamName: "Download", ServerStreams: true}
	streamChat     = &grpc.StreamDesc{StreamName: "Chat", ServerStreams: true, ClientStreams: true}
)

// testService implements it. What ended the last Wait is told on ended.
type testService struct {
	begun chan struct{}
	ended chan error
}

func newTestService() *testService {
	return &testService{begun: make(chan struct{}, 1), ended: make(chan error, 1)}
}

// description is what protoc would have generated.
func (s *testService) description() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: "berth.Test",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "Echo", Handler: s.echo},
			{MethodName: "Wait", Handler: s.wait},
		},
		Streams: []grpc.StreamDesc{
			{StreamName: "Download", ServerStreams: true, Handler: s.download},
			{StreamName: "Chat", ServerStreams: true, ClientStreams: true, Handler: s.chat},
		},
	}
}

func (s *testService) echo(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	in := new(wrapperspb.BytesValue)
	return in, decode(in)
}

func (s *testService) wait(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	if err := decode(new(emptypb.Empty)); err != nil {
		return nil, err
	}
	s.begun <- struct{}{}
	<-ctx.Done()
	s.ended <- ctx.Err()
	return nil, ctx.Err()
}

func (s *testService) download(_ any, stream grpc.ServerStream) error {
	n := new(wrapperspb.Int64Value)
	if err := stream.RecvMsg(n); err != nil {
		return err
	}
	_, err := io.CopyBuffer(messages{stream}, content(int(n.Value)), make([]byte, chunk))
	return err
}

func (s *testService) chat(_ any, stream grpc.ServerStream) error {
	for {
		m := new(wrapperspb.BytesValue)
		if err := stream.RecvMsg(m); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(m); err != nil {
			return err
		}
	}
}

// messages makes each Write a message of a stream.
type messages struct {
	stream interface{ SendMsg(any) error }
}

func (m messages) Write(b []byte) (int, error) {
	if err := m.stream.SendMsg(&wrapperspb.BytesValue{Value: b}); err != nil {
		return 0, err
	}
	return len(b), nil
}

// chunks reads the bytes of a stream's messages.
type chunks struct {
	stream grpc.ClientStream
	rest   []byte
}

func (c *chunks) Read(b []byte) (int, error) {
	for len(c.rest) == 0 {
		m := new(wrapperspb.BytesValue)
		if err := c.stream.RecvMsg(m); err != nil {
			return 0, err
		}
		c.rest = m.Value
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}
