"""The other end of TestPython: talk.py {serve,call} {tcp,udp} ADDRESS PORT SIZE [SIZES...]

TCP: the caller sends SIZE bytes and ends its half; the server sends them back
when it has seen that end, and closes. UDP: the server sends each datagram back
until SIZE bytes have come; the caller sends that many in datagrams of SIZES in
turn, one at a time.
"""

import itertools
import os
import socket
import sys

MOST = 65535


def received(s):
    return b"".join(iter(lambda: s.recv(1 << 16), b""))


def serve_tcp(s, size):
    s.listen()
    print("serving", s.getsockname()[1], flush=True)
    c, _ = s.accept()
    with c:
        data = received(c)
        assert len(data) == size, f"{len(data)} bytes came, want {size}"
        c.sendall(data)


def call_tcp(s, at, size):
    data = os.urandom(size)
    s.connect(at)
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    back = received(s)
    assert back == data, f"{len(back)} bytes came back, want the {size} that were sent"


def serve_udp(s, size):
    print("serving", s.getsockname()[1], flush=True)
    while size > 0:
        data, peer = s.recvfrom(MOST)
        s.sendto(data, peer)
        size -= len(data)


def call_udp(s, at, size, sizes):
    s.connect(at)
    for n in itertools.cycle(sizes):
        data = os.urandom(min(n, size))
        s.send(data)
        back = s.recv(MOST)
        assert back == data, f"{len(back)} bytes came back, want the {n} that were sent"
        size -= len(data)
        if size == 0:
            break


def main(role, protocol, address, port, size, *sizes):
    family, _, _, _, at = socket.getaddrinfo(address, int(port))[0]
    kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[protocol]
    size, sizes = int(size), [int(n) for n in sizes]
    with socket.socket(family, kind) as s:
        s.settimeout(20)
        if role == "call" and protocol == "tcp":
            call_tcp(s, at, size)
        elif role == "call":
            call_udp(s, at, size, sizes)
        else:
            s.bind(at)
            {"tcp": serve_tcp, "udp": serve_udp}[protocol](s, size)


main(*sys.argv[1:])
