package main

// labHelp is the long help of lab: the whole format on a page.
const labHelp = `Run the network that FILE describes, what happens to it, and what is run on it, on
the wall clock or, with --fake, on fake time: then an hour takes no time, and the
same file with the same seed says the same, byte by byte. It needs no privileges
and touches no network of the machine.

The exit status is 0 if everything came out as expected, 1 if an expectation or a
command failed, 2 for a mistake in the file or the command line, and 130 for an
interrupt. So a file is a check for CI.

    name: a client that must retry
    seed: 7                         # 1 if nothing is said
    time: fake                      # or wall
    for: 10m                        # ends the run, if the commands have not; fake time: 24h
    hosts: [client, web]            # or names with kinds: {r: router, s: switch,
                                    #   n: {kind: nat, behavior: symmetric,
                                    #       forward: tcp 80 to web:8080}}
    links:
      - between: [client, web]      # the first end is up, the second down
        name: wan                   # for events
        delay: 20ms
        loss: 1%
        up: {rate: 2 Mbit/s, queue: 64 kB, codel: true}
        web-to-client: {rate: 20 Mbit/s}
        addresses: {client: 192.0.2.1/24, web: [192.0.2.2/24, "2001:db8::2/64"]}
    events:
      - {at: 5s, cut: [client, web], for: 2s}
      - {at: 9s, set: wan, to: {loss: 10%}}
    run:
      - echo: {on: web}
      - connect: {on: client, to: web, count: 5, retry: 3}
      - ping: {on: client, to: web, expect: {loss: "< 20%", rtt: 40 .. 50 ms}}
      - perf: {on: client, to: web, start: 10s, time: 10s, expect: {goodput: ">= 1 Mbit/s"}}
      - http: {on: client, to: web:80, count: 10, size: 20 kB, expect: {failed: 0}}

Links have delay, jitter, loss, burst-loss {share, length}, duplicate, corrupt,
reorder (or {share, by}), rate, queue (a size, or "100 packets"), codel, ecn, trace (a
file of mahimahi's), mtu, and profile (3G, 5G, bad, cable, data-center, dial-up, DSL,
EDGE, fast-3G, fibre, LTE, satellite-GEO, satellite-LEO, slow-3G, Wi-Fi), whose
subscriber is the first end. In up:, down:, a-to-b: they are about one way.
A topology makes hosts and links: pair, or chain: N routers between a and b, star: N
hosts at the router hub, lan: N hosts at a switch, dumbbell: N hosts left and right;
with link: {...}, and edge: {...} for what leads to a dumbbell's hosts.
Events cut, down (both ends see it), heal (a link, or all), set, partition [hosts],
crash, shutdown or restart a host; for: undoes them.

Commands have on, start, name and expect, and
  echo     port (7), protocol (tcp, udp, both), punch (a host:port that lets us in)
  connect  to, protocol, count, text or size, interval, timeout, retry, pause, local (port)
  ping     to, count (5), interval, wait, size, ttl, ipv6
  perf     to, server, protocol, time or bytes, streams, congestion (cubic, reno, dctcp),
           reverse, interval; for UDP rate and size
  http     to, server, count, size, parallel, interval, timeout, keep-alive
Perf and http start what answers by themselves, at server if to is a NAT's port. An
expectation is a value with <, <=, >, >=, = or != before it, or two with .. between;
error: TEXT expects the command to fail with that. What can be expected of
  echo     connections, datagrams, bytes
  connect  attempts, handshake, sent, received, loss, rtt-min, rtt, rtt-max, time
  ping     sent, received, duplicates, errors, loss, rtt-min, rtt, rtt-max, rtt-mdev
  perf     goodput, bytes, time; TCP: retransmits, rtt; UDP: sent, received, loss,
           reordered, jitter
  http     ok, failed, bytes, goodput, time, latency, latency-min, -p50, -p95, -max

A duration is 20ms, 1.5s, 1m30s; a rate 10 Mbit/s (bit/s, kbit/s, Gbit/s); a size 64 kB
(of 1000) or 64 KiB (of 1024), or bytes; a share 1% or 0.01.

With --json times are seconds, rates bits a second, sizes bytes, shares from 0 to 1;
lines are of type begin, start, event, reply, interval and the like as they come, a
result for each command, and end.`
