#!/usr/bin/env python3
"""Starts a cluster of Apache Cassandra on loopback for tests and load runs, and ends it with its caller.

usage: cassandra.py --jars DIR [--nodes N] [--dir DIR] [--heap 384m] [--sync batch|group|periodic] [--tls]
                    [--slow-disk]

Prints one line of JSON when every node answers and knows the others:
{"contact_points": ["127.20.3.1:9042", ...], "dir": "..."}.
Then it obeys lines on standard input, one answer line each: "kill N" (SIGKILL), "term N", "start N", "pause N" (SIGSTOP),
"go_on N" (SIGCONT), "slow N MS" (with --slow-disk: each wait for the disk takes so much longer; 0 for as long as it
does), with N counted from 1; "quit" or the end of standard input ends the cluster. So it ends when its caller
does, however that happens. Nodes share the ports 7000 and 9042 and differ in their address, which is drawn at random.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

JAVA_PACKAGES_EXPORTED = """java.base/jdk.internal.misc java.base/java.lang.ref
    java.management.rmi/com.sun.jmx.remote.internal.rmi java.management/com.sun.jmx.remote.security
    java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.sql/java.sql jdk.unsupported/sun.misc
    jdk.attach/sun.tools.attach jdk.compiler/com.sun.tools.javac.file""".split()
JAVA_PACKAGES_OPENED = ["jdk.compiler/com.sun.tools.javac", "jdk.management/com.sun.management.internal"] + [
    "java.base/" + name
    for name in """java.lang java.lang.module java.lang.reflect java.io java.nio java.util sun.nio.ch
    jdk.internal.loader jdk.internal.ref jdk.internal.reflect jdk.internal.math jdk.internal.module
    jdk.internal.util.jar""".split()
]
# Of three nodes: a third of the ring each.
TOKENS = [-9223372036854775808, -3074457345618258603, 3074457345618258602]
START_SECONDS = 90
STOP_SECONDS = 20

# Clients must encrypt, show a certificate and log in (as cassandra, with that password).
TLS = """client_encryption_options:
  enabled: true
  optional: false
  require_client_auth: true
  ssl_context_factory:
    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory
  keystore: {dir}/{name}.pem
  truststore: {dir}/ca.pem
authenticator: PasswordAuthenticator
"""

LOGBACK = """<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{ISO8601} %logger{24} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="STDOUT"/></root>
</configuration>
"""


class Node:
    def __init__(self, number, address, seed, token, options):
        self.number, self.address, self.options = number, address, options
        self.dir = os.path.join(options.dir, f"node{number}")
        self.process = None
        conf = os.path.join(self.dir, "conf")
        os.makedirs(conf)
        os.makedirs(os.path.join(self.dir, "tmp"))
        with open(os.path.join(conf, "logback.xml"), "w") as out:
            out.write(LOGBACK)
        sync = {
            "batch": "commitlog_sync: batch",
            "group": "commitlog_sync: group\ncommitlog_sync_group_window: 5ms",
            "periodic": "commitlog_sync: periodic\ncommitlog_sync_period: 1000ms",
        }[options.sync]
        with open(os.path.join(conf, "cassandra.yaml"), "w") as out:
            out.write(
                f"""cluster_name: tollgate_tests
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
{sync}
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "{seed}:7000"
listen_address: {address}
rpc_address: {address}
storage_port: 7000
native_transport_port: 9042
num_tokens: 1
initial_token: {token}
auto_bootstrap: false
auto_snapshot: false
paxos_variant: v2
cas_contention_timeout: 1000ms
concurrent_reads: 8
concurrent_writes: 8
native_transport_max_threads: 32
disk_access_mode: standard
commitlog_segment_size: 16MiB
memtable_allocation_type: unslabbed_heap_buffers
block_for_peers_timeout_in_secs: 2
"""
                + (TLS.format(dir=options.dir, name=f"node{number}") if options.tls else "")
            )

    def start(self):
        conf, storage = os.path.join(self.dir, "conf"), os.path.join(self.dir, "data")
        jars = os.path.abspath(self.options.jars)
        agent = next((name for name in os.listdir(jars) if name.startswith("jamm-")), None)
        if agent is None:
            sys.exit(f"cassandra.py: {jars} holds no Cassandra; run `tests/run cql`, which copies it there")
        command = ["java", f"-Xms{self.options.heap}", f"-Xmx{self.options.heap}"]
        command += "-XX:+UseG1GC -XX:+PerfDisableSharedMem -XX:+ExitOnOutOfMemoryError -Xss256k".split()
        command += [
            "-Djava.net.preferIPv4Stack=true",
            "-Djdk.attach.allowAttachSelf=true",
            "-Dchronicle.analytics.disable=true",
            # Native libraries are unpacked here; a node that is killed would leave them in the system's folder for ever.
            f"-Djava.io.tmpdir={self.dir}/tmp",
            "-Dio.netty.tryReflectionSetAccessible=true",
            f"-javaagent:{jars}/{agent}",
        ]
        for name in JAVA_PACKAGES_EXPORTED:
            command += ["--add-exports", f"{name}=ALL-UNNAMED"]
        for name in JAVA_PACKAGES_OPENED:
            command += ["--add-opens", f"{name}=ALL-UNNAMED"]
        command += [
            f"-Dcassandra.config=file://{conf}/cassandra.yaml",
            f"-Dcassandra.storagedir={storage}",
            f"-Dcassandra.logdir={self.dir}",
            f"-Dlogback.configurationFile=file:{conf}/logback.xml",
            "-Dcassandra-foreground=yes",
            "-Dcassandra.skip_wait_for_gossip_to_settle=0",
            "-Dcassandra.ring_delay_ms=1000",
            "-Dcassandra.available_processors=1",
            "-Dcassandra.libjemalloc=-",
            "-Dcassandra.superuser_setup_delay_ms=0",
            "-cp",
            f"{conf}:{jars}/*",
            "org.apache.cassandra.service.CassandraDaemon",
        ]
        environment = dict(os.environ)
        if self.options.slow_disk:
            environment.update(LD_PRELOAD=os.path.join(self.options.dir, "slow_sync.so"), SLOW_SYNC_FILE=self.slow_file())
        log = open(os.path.join(self.dir, "log"), "ab")
        # A group of its own, so that a terminal's Ctrl-C is answered by this program alone.
        self.process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=self.dir,
            env=environment,
            start_new_session=True,
        )
        log.close()

    def slow_file(self):
        return os.path.join(self.dir, "slow_sync")

    def slow(self, ms):
        # In one piece, since it is read all the time.
        with open(self.slow_file() + ".new", "w") as out:
            out.write(ms)
        os.replace(self.slow_file() + ".new", self.slow_file())

    def ready(self):
        if not self.options.tls:
            return answers(self.address)
        with open(os.path.join(self.dir, "log"), errors="replace") as log:
            return "Created default superuser role" in log.read()

    def wait(self, seconds=START_SECONDS):
        end = time.monotonic() + seconds
        while not self.ready():
            if self.process.poll() is not None:
                sys.exit(f"cassandra.py: node {self.number} ended with {self.process.returncode}:\n{self.tail()}")
            if time.monotonic() > end:
                sys.exit(f"cassandra.py: node {self.number} did not answer in {seconds} s:\n{self.tail()}")
            time.sleep(0.1)

    def tail(self):
        with open(os.path.join(self.dir, "log"), errors="replace") as log:
            return "".join(log.readlines()[-15:])

    def signal(self, which):
        if self.process and self.process.poll() is None:
            self.process.send_signal(which)

    def end(self, which):
        self.signal(signal.SIGCONT)
        self.signal(which)
        if self.process:
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


# Opcodes of the native protocol, version 4.
STARTUP, OPTIONS, SUPPORTED, QUERY, RESULT = 1, 5, 6, 7, 8


def answers(address):
    """Whether a CQL server there answers."""
    try:
        with socket.create_connection((address, 9042), timeout=2) as stream:
            stream.settimeout(2)
            return ask(stream, OPTIONS, b"")[0] == SUPPORTED
    except OSError:
        return False


def peers(address):
    """How many other nodes the one there knows. Before it knows all, a schema can take a minute to be agreed on."""
    try:
        with socket.create_connection((address, 9042), timeout=2) as stream:
            stream.settimeout(2)
            ask(stream, STARTUP, struct.pack(">h", 1) + text("CQL_VERSION") + text("3.0.0"))
            query = b"SELECT peer FROM system.peers_v2"
            opcode, body = ask(stream, QUERY, struct.pack(">i", len(query)) + query + struct.pack(">hB", 1, 0))
            if opcode != RESULT:
                return 0
            # Kind of result, flags, number of columns; keyspace, table and column by name; a type; then the number of rows.
            at = 12
            for _ in range(3):
                at += 2 + struct.unpack_from(">h", body, at)[0]
            return struct.unpack_from(">i", body, at + 2)[0]
    except OSError:
        return 0


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def ask(stream, opcode, body):
    """Sends a frame and returns the opcode and the body of the answer."""
    stream.sendall(struct.pack(">BBhBi", 4, 0, 0, opcode, len(body)) + body)
    head = exactly(stream, 9)
    return head[4], exactly(stream, struct.unpack(">i", head[5:])[0])


def exactly(stream, count):
    taken = b""
    while len(taken) < count:
        more = stream.recv(count - len(taken))
        if not more:
            raise ConnectionError("the answer ends early")
        taken += more
    return taken


def certify(addresses, into):
    """Makes an authority, a certificate for each node and one for clients, all PEM files there."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=into, check=True, capture_output=True)

    key = ["-newkey", "rsa:2048", "-nodes", "-days", "30"]
    openssl("req", "-x509", *key, "-subj", "/CN=tests", "-keyout", "ca.key", "-out", "ca.pem")
    names = [(f"node{number}", f"IP:{address}") for number, address in enumerate(addresses, 1)]
    for name, alternative in names + [("client", "DNS:client")]:
        openssl("req", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        with open(os.path.join(into, f"{name}.ext"), "w") as out:
            out.write(f"subjectAltName={alternative}\n")
        openssl(
            *f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30".split(),
            *f"-extfile {name}.ext -out {name}.crt".split(),
        )
        with open(os.path.join(into, f"{name}.pem"), "w") as out:
            for part in (f"{name}.key", f"{name}.crt"):
                with open(os.path.join(into, part)) as text:
                    out.write(text.read())


def free_addresses(count):
    for _ in range(100):
        prefix = f"127.{random.randrange(16, 250)}.{random.randrange(1, 250)}."
        addresses = [prefix + str(number) for number in range(1, count + 1)]
        try:
            for address in addresses:
                for port in (7000, 9042):
                    with socket.socket() as probe:
                        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                        probe.bind((address, port))
            return addresses
        except OSError:
            continue
    sys.exit("cassandra.py: no free loopback addresses were found")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jars", required=True)
    parser.add_argument("--nodes", type=int, default=1, choices=[1, 3])
    parser.add_argument("--dir")
    parser.add_argument("--heap", default="384m")
    parser.add_argument("--sync", default="batch", choices=["batch", "group", "periodic"])
    parser.add_argument("--slow-disk", action="store_true", help="obey `slow`; wants cc")
    parser.add_argument("--tls", action="store_true", help="clients must encrypt, show client.pem of DIR, and log in")
    options = parser.parse_args()
    if not os.path.isdir(options.jars):
        sys.exit(f"cassandra.py: there is no {options.jars}; run `tests/run cql`, which makes it")
    own = options.dir is None
    options.dir = os.path.abspath(options.dir or tempfile.mkdtemp(prefix="tollgate-cassandra-"))
    # Any end of this program passes through the `finally` below.
    for which in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(which, lambda *_: sys.exit(1))
    nodes = []
    try:
        addresses = free_addresses(options.nodes)
        if options.tls:
            certify(addresses, options.dir)
        if options.slow_disk:
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slow_sync.c")
            into = os.path.join(options.dir, "slow_sync.so")
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", into, source, "-ldl"], check=True)
        for number, address in enumerate(addresses, 1):
            nodes.append(Node(number, address, addresses[0], TOKENS[number - 1], options))
        nodes[0].start()
        nodes[0].wait()
        for node in nodes[1:]:
            node.start()
        for node in nodes[1:]:
            node.wait()
        end = time.monotonic() + START_SECONDS
        while any(peers(address) < len(nodes) - 1 for address in addresses):
            if time.monotonic() > end:
                sys.exit(f"cassandra.py: the nodes do not find each other:\n{nodes[0].tail()}")
            time.sleep(0.1)
        points = [f"{address}:9042" for address in addresses]
        print(json.dumps({"contact_points": points, "dir": options.dir}), flush=True)
        for line in sys.stdin:
            words = line.split()
            if words in ([], ["quit"]):
                break
            what, node = words[0], nodes[int(words[1]) - 1]
            if what == "kill":
                node.end(signal.SIGKILL)
            elif what == "term":
                node.end(signal.SIGTERM)
            elif what == "start":
                node.start()
                node.wait()
            elif what == "pause":
                node.signal(signal.SIGSTOP)
            elif what == "go_on":
                node.signal(signal.SIGCONT)
            elif what == "slow" and options.slow_disk:
                node.slow(words[2])
            else:
                print(f"unknown: {line.strip()}", flush=True)
                continue
            print("done", flush=True)
    finally:
        for node in nodes:
            node.signal(signal.SIGCONT)
            node.signal(signal.SIGKILL)
        for node in nodes:
            node.end(signal.SIGKILL)
        if own:
            shutil.rmtree(options.dir, ignore_errors=True)


if __name__ == "__main__":
    main()
