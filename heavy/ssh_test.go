package heavy

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"testing"

	"example.com/berth/netconn"
	"golang.org/x/crypto/ssh"
)

// A client runs a command on an SSH server, sends it much and gets it back, and
// has a connection forwarded to another port of the server's host.
func TestSSH(t *testing.T) {
	everywhere(t, func(t *testing.T, n *network) {
		l := n.listen(t)
		_, key, err := ed25519.GenerateKey(rand.Reader)
		check(t, err)
		signer, err := ssh.NewSignerFromKey(key)
		check(t, err)
		served := make(chan error, 1)
		go func() { served <- n.serveSSH(l, signer) }()

		conn, channels, requests, err := ssh.NewClientConn(n.connect(t, l), l.Addr().String(), &ssh.ClientConfig{
			User: "alice", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
			HostKeyCallback: ssh.FixedHostKey(signer.PublicKey()),
		})
		check(t, err)
		client := ssh.NewClient(conn, channels, requests)

		session, err := client.NewSession()
		check(t, err)
		out, err := session.Output("echo hello")
		if err != nil || string(out) != "echo hello" {
			t.Errorf("exec: %q, %v", out, err)
		}
		check(t, throughCat(client, n.bulk))
		check(t, n.forward(client, n.bulk/10))

		check(t, client.Close())
		check(t, <-served)
	})
}

// throughCat sends content(size) through the command cat.
func throughCat(client *ssh.Client, size int) error {
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	session.Stdin = content(size)
	out, err := session.StdoutPipe()
	if err != nil {
		return err
	}
	if err := session.Start("cat"); err != nil {
		return err
	}
	if err := expect(out, size); err != nil {
		return err
	}
	return session.Wait()
}

// forward has the server connect to a listener on its host, and sends
// content(size) that way.
func (n *network) forward(client *ssh.Client, size int) error {
	l, err := netconn.Listen(n.server, "tcp", net.JoinHostPort(n.addr.String(), "0"))
	if err != nil {
		return err
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = io.Copy(c, c)
			c.Close()
		}
	}()
	c, err := client.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	defer c.Close()
	return echo(c, size, c.(interface{ CloseWrite() error }).CloseWrite)
}

// serveSSH serves one connection until the client ends it.
func (n *network) serveSSH(l net.Listener, signer ssh.Signer) error {
	c, err := l.Accept()
	if err != nil {
		return err
	}
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(m ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if m.User() != "alice" || string(key.Marshal()) != string(signer.PublicKey().Marshal()) {
				return nil, fmt.Errorf("%s is not known", m.User())
			}
			return nil, nil
		},
	}
	config.AddHostKey(signer)
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return err
	}
	go ssh.DiscardRequests(requests)
	for ch := range channels {
		switch ch.ChannelType() {
		case "session":
			go serveSession(ch)
		case "direct-tcpip":
			go n.serveForward(ch)
		default:
			_ = ch.Reject(ssh.UnknownChannelType, ch.ChannelType())
		}
	}
	if err := conn.Wait(); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// serveSession runs one command: cat, or anything else, which is printed.
func serveSession(ch ssh.NewChannel) {
	c, requests, err := ch.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	for r := range requests {
		var exec struct{ Command string }
		if r.Type != "exec" || ssh.Unmarshal(r.Payload, &exec) != nil {
			_ = r.Reply(false, nil)
			continue
		}
		_ = r.Reply(true, nil)
		if exec.Command == "cat" {
			_, _ = io.Copy(c, c)
		} else {
			_, _ = io.WriteString(c, exec.Command)
		}
		_ = c.CloseWrite()
		_, _ = c.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{0}))
		return
	}
}

// serveForward connects to where the client wants (RFC 4254 section 7.2).
func (n *network) serveForward(ch ssh.NewChannel) {
	var to struct {
		Host       string
		Port       uint32
		Originator string
		OriginPort uint32
	}
	if err := ssh.Unmarshal(ch.ExtraData(), &to); err != nil {
		_ = ch.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	target, err := netconn.Dial(n.server, "tcp", net.JoinHostPort(to.Host, fmt.Sprint(to.Port)))
	if err != nil {
		_ = ch.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer target.Close()
	c, requests, err := ch.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	go ssh.DiscardRequests(requests)
	go func() {
		_, _ = io.Copy(target, c)
		_ = target.(*netconn.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(c, target)
}
