package main

const runHelp = `Run a program, unmodified, on a network of its own, as an ordinary user. It is in
a user, network, mount and process namespace; at the other end of its wire is
berth, which carries its TCP, UDP and pings to the world by your own sockets, as
far as rules allow. Linux only.

RULE is [tcp/|udp/|icmp/]WHERE[:PORTS]. WHERE is a name, *.example.com for all
names below one, an address, a network such as 10.0.0.0/8, or any; PORTS are
numbers and ranges, 22,8000-8999. The first rule that matches decides. Without
--allow everything is, except the loopback, link-local and metadata addresses of
this machine and its clouds and the networks that it is on, which take a rule that
names them. With --allow nothing else is. A name holds for the addresses that
berth's resolver gave the program for it, and for TLS and HTTP it must be the one
that the program asks the server for.

What is denied fails at once, and is said on standard error:

    berth: denied tcp ssh.example.net:22 (no rule allows port 22)

With --ask, what no rule decides is neither allowed nor denied but held, and the
program stopped, until you have answered at the terminal: yes and no hold for half
a minute, always and never for the run, for that port of that name or address. No
answer within --ask-time, Ctrl-C and Ctrl-D are no. What was typed ahead is
discarded, so that it is no answer. Names that no rule denies are looked up before
you are asked.

The program's standard streams, directory, environment, user and files are yours;
signals, the terminal and job control reach it. When it ends, so does all that it
started. What listens on a Unix socket with a path, such as a container engine or
an ssh agent, is not network, and berth does not keep the program from it; nor
does it keep an allowed server from carrying its words on.

--profile, --delay and the like make all of its line a bad one, --line that to what a
rule is about: 'api.example.com: delay=200ms,loss=2%', 'udp/*: profile=3G'. The first
that matches is a flow's line; profile=perfect is one without faults.

With --lab it is a host of a network that other runs with the same --lab are on, and
of nothing else: a switch, or what --shape describes. Names are those of --host.

The exit status is the program's, 128+N if signal N killed it, 127 if there is no
such program, 126 if it cannot be executed, and 125 if berth failed.`
