#!/usr/bin/env python3
"""Throws spoilt requests at cbcluster and watches whether it lives.

    fuzz.py CBCLUSTER CONFIG.json VECTORS_DIRECTORY [SEED [REQUESTS]]

Starts CBCLUSTER (best a build with sanitizers) with CONFIG.json, takes the recorded requests of VECTORS_DIRECTORY/kv, changes
a few bytes of each at random, always the same for one seed, and sends them on authenticated connections. What comes back does not
matter; the program must not end, and must exit with status 0 when it is asked to. Python 3, standard library only."""
import glob, json, os, random, select, signal, socket, struct, subprocess, sys, tempfile, time

BATCH = 40
SESSION = (0x1f, 0x20, 0x21, 0x22, 0x89)    # would spoil all that follows
MARK = 0xfeedbeef
PATIENCE = 0.1         # a durable write without replicas may take 10 s: the connection is given up
HEADER = struct.Struct('>BBHBBHIIQ')

def requests(directory):
    """Every recorded request of moderate size, one packet each."""
    out = []
    for path in sorted(glob.glob(os.path.join(directory, 'kv', '*.jsonl'))):
        for line in open(path):
            text = json.loads(line).get('request')
            if not isinstance(text, str):
                continue
            data = bytes.fromhex(text)
            while len(data) >= 24:
                n = 24 + struct.unpack('>I', data[8:12])[0]
                if 24 <= n <= 4096 and n <= len(data):
                    out.append(data[:n])
                data = data[n:]
    return out

def mend(p):
    """Gives a changed packet the total length that its bytes have, so that the next one is found."""
    p[8:12] = struct.pack('>I', len(p) - 24)
    return p

def spoil(rnd, packet, all_packets):
    """A packet that differs from a recorded one in one to four places."""
    p = bytearray(packet)
    for _ in range(rnd.randint(1, 4)):
        kind = rnd.randrange(9)
        at = rnd.randrange(len(p))
        if kind == 0:
            p[at] ^= 1 << rnd.randrange(8)
        elif kind == 1:
            p[at] = rnd.choice((0, 1, 0x7f, 0x80, 0xff, 0x22, 0x5b, 0x7b, 0x60, 0x2e))
        elif kind == 2 and len(p) > 24:
            del p[rnd.randrange(24, len(p))]
        elif kind == 3:
            p[max(at, 24):max(at, 24)] = bytes(rnd.randrange(256) for _ in range(rnd.randint(1, 8)))
        elif kind == 4:
            other = rnd.choice(all_packets)
            cut = rnd.randrange(24, len(other) + 1)
            p = p[:rnd.randrange(24, len(p) + 1)] + other[cut:]
        elif kind == 5:
            p[1] = rnd.choice(all_packets)[1]
        elif kind == 6:
            p[2:6] = bytes(rnd.choice((0, 1, 2, 3, 4, 8, 20, 255)) for _ in range(4))
        elif kind == 7 and len(p) > 30:
            width = rnd.choice((1, 2, 4))
            where = rnd.randrange(24, len(p) - width)
            p[where:where + width] = rnd.choice((b'\0' * 4, b'\xff' * 4, b'\x7f\xff\xff\xff', b'\x80\0\0\0'))[:width]
        elif kind == 8:
            p[0] = rnd.choice((0x80, 0x08))
    return bytes(mend(p))

def ends(p):
    """Would the connection end with this packet, rightly?"""
    key = p[2] + p[3] if p[0] == 0x08 else struct.unpack('>H', p[2:4])[0]
    return p[0] not in (0x80, 0x08) or p[1] in (0x07, 0x17) or key + p[4] > len(p) - 24

def make_batch(rnd, packets, scans):
    """Recorded requests in their order, half of them spoilt; only the last may end the connection or have a wrong length."""
    start = rnd.randrange(len(packets))
    batch = []
    for p in packets[start:start + BATCH]:
        p = bytearray(p)
        if p[0] == 0x80 and p[1] in (0xdb, 0xdc) and bytes(p[6:8]) in scans and len(p) >= 40:
            p[24:40] = scans[bytes(p[6:8])]
        p[12:16] = p[6:8] + b'\0\0'      # the vBucket comes back as opaque
        q = spoil(rnd, p, packets) if rnd.randrange(2) else bytes(p)
        if not ends(q) and q[1] not in SESSION:
            batch.append(q)
    last = spoil(rnd, rnd.choice(packets), packets)
    if rnd.randrange(4) == 0:
        wrong = rnd.choice((0, 1, 23, 4096, 31457256, 0x7fffffff, 0xffffffff))
        last = last[:8] + struct.pack('>I', wrong) + last[12:]
    return batch + ([last] if rnd.randrange(8) == 0 else [])

class Client:
    """One authenticated connection with a bucket selected."""

    def __init__(self, address, features):
        self.s = socket.create_connection(address, timeout=10)
        self.call(0x1f, b'fuzz', b''.join(struct.pack('>H', f) for f in features))
        self.call(0x21, b'PLAIN', b'\0Administrator\0password')
        self.status = self.call(0x89, b'vec', b'')
        self.s.setblocking(False)
        self.got, self.answers, self.scans = b'', 0, {}

    def call(self, op, key, value):
        self.s.sendall(HEADER.pack(0x80, op, len(key), 0, 0, 0, len(key) + len(value), 0, 0) + key + value)
        got = b''
        while len(got) < 24 or len(got) < 24 + struct.unpack('>I', got[8:12])[0]:
            data = self.s.recv(65536)
            if not data:
                raise ConnectionError('closed during the handshake')
            got += data
        return struct.unpack('>H', got[6:8])[0]

    def throw(self, data):
        """Sends everything and a NOOP, reads until that is answered; false when the connection is of no more use."""
        view = memoryview(data + HEADER.pack(0x80, 0x0a, 0, 0, 0, 0, 0, MARK, 0))
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            readable, writable, _ = select.select([self.s], [self.s] if view else [], [], 0.01)
            try:
                if readable:
                    got = self.s.recv(1 << 20)
                    if not got:
                        return False
                    self.got += got
                if writable:
                    view = view[self.s.send(view):]
            except OSError:
                return False
            if self.count():
                return True
        return False

    def count(self):
        """Takes the complete answers out of what was read; true if one is that of the NOOP."""
        while len(self.got) >= 24:
            n = 24 + struct.unpack('>I', self.got[8:12])[0]
            if len(self.got) < n:
                break
            self.answers += 1
            if self.got[0] == 0x81 and self.got[1] == 0xda and n == 40:
                self.scans[self.got[12:14]] = self.got[24:40]
            mark = self.got[1] == 0x0a and struct.unpack('>I', self.got[12:16])[0] == MARK
            self.got = self.got[n:]
            if mark:
                return True
        return False

class Target:
    def __init__(self, program, config):
        self.dir = tempfile.TemporaryDirectory()
        ready = os.path.join(self.dir.name, 'ready.json')
        self.log = open(os.path.join(self.dir.name, 'log'), 'w+b')
        self.process = subprocess.Popen([program, '--config', config, '--ready-file', ready, '--die-with-parent'],
                                        stdout=self.log, stderr=self.log)
        for _ in range(300):
            if os.path.exists(ready) or self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.check()
        host, port = json.load(open(ready))['kv'][0].rsplit(':', 1)
        self.address = (host, int(port))

    def check(self):
        if self.process.poll() is not None:
            self.fail('ended with status %d' % self.process.returncode)

    def fail(self, what):
        self.log.seek(0)
        sys.stderr.write(self.log.read().decode('utf-8', 'replace')[-20000:])
        raise SystemExit('cbcluster ' + what)

    def stop(self):
        self.check()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.fail('does not end')
        if status != 0:
            self.fail('ended with status %d when asked to' % status)

def main(argv):
    if len(argv) < 3:
        raise SystemExit(__doc__)
    rnd = random.Random(int(argv[3]) if len(argv) > 3 else 1)
    wanted = int(argv[4]) if len(argv) > 4 else 100000
    packets = requests(argv[2])
    target = Target(argv[0], argv[1])
    sets = ((4, 6, 7, 8, 0x0a, 0x0b, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x14), (4, 6, 7, 8, 0x0b, 0x12), ())
    client, sent, answers, connections, restarts = None, 0, 0, 0, 0
    while sent < wanted:
        if client is None:
            client = Client(target.address, sets[connections % len(sets)])
            connections += 1
            if client.status != 0:         # a spoilt request dropped the bucket
                target.stop()
                target = Target(argv[0], argv[1])
                client, restarts = None, restarts + 1
                continue
        batch = make_batch(rnd, packets, client.scans)
        sent += len(batch)
        before = client.answers
        useful = client.throw(b''.join(batch))
        answers += client.answers - before
        if not useful:
            client.s.close()
            client = None
            target.check()
    target.stop()
    print('%d requests on %d connections, %d answers, %d restarts: alive' % (sent, connections, answers, restarts))

if __name__ == '__main__':
    main(sys.argv[1:])
