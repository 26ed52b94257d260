#!/usr/bin/env python3
"""Throws spoilt requests at cbcluster and watches whether it lives.

    fuzz.py CBCLUSTER CONFIG.json VECTORS_DIRECTORY [SEED [REQUESTS]]

Starts CBCLUSTER (best a build with sanitizers) with CONFIG.json, takes the recorded requests of VECTORS_DIRECTORY/kv, changes
a few bytes of each at random, always the same for one seed, and sends them on authenticated connections. What comes back does not
matter; the program must not end, and must exit with status 0 when it is asked to. Python 3, standard library only."""
import glob, json, os, random, select, signal, socket, struct, subprocess, sys, tempfile, time

BATCH = 40
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
    if rnd.randrange(50):
        mend(p)
    return bytes(p)

class Client:
    """One authenticated connection with a bucket selected."""

    def __init__(self, address, features):
        self.s = socket.create_connection(address, timeout=10)
        self.call(0x1f, b'fuzz', b''.join(struct.pack('>H', f) for f in features))
        self.call(0x21, b'PLAIN', b'\0Administrator\0password')
        self.status = self.call(0x89, b'vec', b'')
        self.s.setblocking(False)

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
        """Sends everything while reading; false when the other side closed."""
        view = memoryview(data)
        end = time.monotonic() + 2
        while view and time.monotonic() < end:
            readable, writable, _ = select.select([self.s], [self.s], [], 0.5)
            try:
                if readable and not self.s.recv(1 << 20):
                    return False
                if writable:
                    view = view[self.s.send(view):]
            except OSError:
                return False
        return not view

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
    wanted = int(argv[4]) if len(argv) > 4 else 20000
    packets = requests(argv[2])
    target = Target(argv[0], argv[1])
    sets = ((4, 6, 7, 8, 0x0a, 0x0b, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x14), (4, 6, 7, 8, 0x0b, 0x12), ())
    client, sent, connections, restarts = None, 0, 0, 0
    while sent < wanted:
        if client is None:
            client = Client(target.address, sets[connections % len(sets)])
            connections += 1
            if client.status != 0:         # a spoilt request dropped the bucket
                target.stop()
                target = Target(argv[0], argv[1])
                client, restarts = None, restarts + 1
                continue
        batch = b''.join(spoil(rnd, rnd.choice(packets), packets) for _ in range(BATCH))
        sent += BATCH
        if not client.throw(batch):
            client = None
            target.check()
    target.stop()
    print('%d requests on %d connections, %d restarts: alive' % (sent, connections, restarts))

if __name__ == '__main__':
    main(sys.argv[1:])
