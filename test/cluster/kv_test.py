#!/usr/bin/env python3
"""What the data port of cbcluster does beside the recorded conversations: several nodes, faults, waiting, large traffic.

    kv_test.py CBCLUSTER

Starts CBCLUSTER (best a build with sanitizers) and exits with status 1 if anything differs. Python 3, standard library only."""
import json, select, socket, struct, sys, time, urllib.parse, urllib.request, zlib

from cluster_process import ClusterProcess

HEADER = struct.Struct('>BBHBBHIIQ')
CONFIG = {'nodes': 2, 'flush_ms': 2,
          'buckets': [{'name': 'b', 'vbuckets': 64, 'replicas': 1, 'scopes': {'s': {'collections': {'c': {}, 'short': {'max_expiry': 60}}}}},
                      {'name': 'single', 'vbuckets': 64, 'replicas': 0}],
          'users': [{'name': 'Administrator', 'password': 'password', 'roles': ['admin']},
                    {'name': 'guest', 'password': 'guest', 'grants': [{'bucket': 'b', 'scope': 's', 'collection': 'c', 'privileges': ['Read']}]}]}
FEATURES = (3, 4, 6, 7, 8, 0xa, 0xb, 0x11, 0x12)
checks = [0, 0]

def check(what, got, expected=True):
    checks[0] += 1
    if got != expected:
        checks[1] += 1
        print('FAIL %s: expected %r, got %r' % (what, expected, got))

class Answer:
    def __init__(self, data):
        self.magic, self.op, kl, el, self.datatype, self.status, total, self.opaque, self.cas = HEADER.unpack(data[:24])
        fl, kl = (kl >> 8, kl & 255) if self.magic in (0x18, 0x08) else (0, kl)
        body = data[24:]
        self.ext, self.key, self.value = body[fl:fl + el], body[fl + el:fl + el + kl], body[fl + el + kl:]

def packet(op, key=b'', value=b'', ext=b'', vb=0, opaque=1, cas=0, datatype=0, frames=b''):
    total = len(frames) + len(ext) + len(key) + len(value)
    if frames:
        return HEADER.pack(8, op, len(frames) << 8 | len(key), len(ext), datatype, vb, total, opaque, cas) + frames + ext + key + value
    return HEADER.pack(0x80, op, len(key), len(ext), datatype, vb, total, opaque, cas) + ext + key + value

class Client:
    def __init__(self, addr, bucket='b', features=FEATURES, user='Administrator', password='password'):
        self.s = socket.create_connection(addr, timeout=10)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf = b''
        if user:
            self.call(0x1f, b'test', struct.pack('>%dH' % len(features), *features))
            check('login', self.call(0x21, b'PLAIN', b'\0%s\0%s' % (user.encode(), password.encode())).status, 0)
            if bucket:
                check('select', self.call(0x89, bucket.encode()).status, 0)

    def send(self, data):
        self.s.sendall(data)

    def read(self, timeout=10):
        """The next answer; None at the end of the connection or after the time-out."""
        end = time.time() + timeout
        while len(self.buf) < 24 or len(self.buf) < 24 + struct.unpack('>I', self.buf[8:12])[0]:
            left = end - time.time()
            if left <= 0 or not select.select([self.s], [], [], left)[0]:
                return None
            try:
                data = self.s.recv(1 << 18)
            except ConnectionError:
                data = b''
            if not data:
                return None
            self.buf += data
        n = 24 + struct.unpack('>I', self.buf[8:12])[0]
        a, self.buf = Answer(self.buf[:n]), self.buf[n:]
        return a

    def call(self, *a, **k):
        self.send(packet(*a, **k))
        return self.read()

    def set(self, key, value=b'1', expiry=0, **k):
        return self.call(1, b'\0' + key, value, struct.pack('>II', 0, expiry), vb=vbucket(key), **k)

    def get(self, key, **k):
        return self.call(0, b'\0' + key, vb=vbucket(key), **k)

    def closed(self, timeout=5):
        while True:
            if not select.select([self.s], [], [], timeout)[0]:
                return False
            try:
                if not self.s.recv(65536):
                    return True
            except ConnectionError:
                return True

def vbucket(key):
    return (zlib.crc32(key) >> 16 & 0x7fff) % 64

def key_in(vb, prefix=b'k'):
    """A key that hashes to the vBucket."""
    n = 0
    while vbucket(b'%s%d' % (prefix, n)) != vb:
        n += 1
    return b'%s%d' % (prefix, n)

class Server(ClusterProcess):
    def __init__(self):
        super().__init__(config=CONFIG)
        self.kv = [self.address(node=node) for node in range(len(self.ready['kv']))]
        self.control, self.management = self.ready['control'][0], self.ready['management'][0]

    def switch(self, name, **arguments):
        url = 'http://%s/%s?%s' % (self.control, name, urllib.parse.urlencode(arguments))
        return json.load(urllib.request.urlopen(urllib.request.Request(url, method='POST'), timeout=10))

    def http(self, method, path):
        request = urllib.request.Request('http://%s%s' % (self.management, path), method=method)
        request.add_header('Authorization', 'Basic QWRtaW5pc3RyYXRvcjpwYXNzd29yZA==')
        return urllib.request.urlopen(request, timeout=10).status

# ---------------------------------------------------------------- framing and traffic

def test_framing(server):
    c = Client(server.kv[0])
    for byte in packet(0x0a, opaque=7):
        c.send(bytes([byte]))
        time.sleep(0.002)
    check('byte by byte', c.read().opaque, 7)
    c.send(b''.join(packet(0x0a, opaque=i) for i in range(1, 1001)))
    check('a thousand in one write', [c.read().opaque for _ in range(1000)], list(range(1, 1001)))
    silent = Client(server.kv[0], user=None)
    silent.send(b'\x80\x1f\0\4')
    check('half a header waits', silent.closed(0.3), False)
    for name, data in (('oversize', HEADER.pack(0x80, 1, 1, 8, 0, 0, 31 << 20, 0, 0)), ('wrong magic', b'\x55' * 24),
                       ('long before login', HEADER.pack(0x80, 0x21, 5, 0, 0, 0, 1001, 0, 0)),
                       ('key longer than the body', HEADER.pack(0x80, 0x1f, 9, 0, 0, 0, 8, 0, 0))):
        bad = Client(server.kv[0], user=None)
        bad.send(data)
        check(name + ' closes', bad.closed())

def test_large(server):
    """More answers than any buffer holds, unread; then all of them; meanwhile others are served."""
    c = Client(server.kv[0])
    key = key_in(1)
    value = b'"' + b'x' * 100000 + b'"'
    check('set', c.set(key, value).status, 0)
    n = 600
    c.send(b''.join(packet(0, b'\0' + key, vb=1, opaque=i) for i in range(n)))
    time.sleep(0.3)
    check('others are served', Client(server.kv[0]).get(key).value, value)
    answers = [c.read() for _ in range(n)]
    check('all come, in order', [a.opaque for a in answers], list(range(n)))
    check('and whole', all(a.value == value for a in answers))
    big = bytes(20 << 20)
    c.send(packet(1, b'\0' + key, big, bytes(8), vb=1))
    check('20 MiB', c.read(30).status, 0)
    a = c.get(key)
    check('back again', a.value == big)
    gone = Client(server.kv[0])
    gone.send(packet(0, b'\0' + key, vb=1) * 20)
    time.sleep(0.05)
    gone.s.close()
    check('overwritten while it is being sent', c.set(key).status, 0)

def test_back_pressure(server):
    """Who does not read is not read from."""
    c = Client(server.kv[0])
    key = key_in(1)
    c.set(key, b'x' * 200)
    n = 1000000
    data = memoryview(packet(0, b'\0' + key, vb=1) * n)
    sent = 0
    c.s.setblocking(False)
    while sent < len(data) and select.select([], [c.s], [], 1)[1]:
        sent += c.s.send(data[sent:sent + 65536])
    check('the server stops reading', sent < len(data))
    c.s.setblocking(True)
    whole = sent // (len(data) // n)
    check('and answers all it was sent', all(c.read().status == 0 for _ in range(min(whole, 50000))))

# ---------------------------------------------------------------- durability

DURABLE = b'\x11\x01'

def test_durability(server):
    c, other = Client(server.kv[0]), Client(server.kv[0])
    key = key_in(2, b'd')
    for level in (1, 2, 3):
        check('level %d' % level, c.set(key, frames=bytes([0x11, level])).status, 0)
    server.switch('pause', node=1)
    started = time.time()
    check('time-out', c.set(key, b'2', frames=b'\x13\x01' + struct.pack('>H', 300)).status, 0xa3)
    check('after its time', 0.25 < time.time() - started < 2)
    check('not stored', other.get(key).value, b'1')
    c.send(packet(1, b'\0' + key, b'3', bytes(8), vb=2, frames=DURABLE))
    time.sleep(0.1)
    check('invisible while it pends', other.get(key).value, b'1')
    check('others are refused', other.set(key).status, 0xa2)
    lost = Client(server.kv[0])
    key2 = key_in(2, b'lost')
    lost.send(packet(1, b'\0' + key2, b'3', bytes(8), vb=2, frames=DURABLE))
    time.sleep(0.1)
    lost.s.close()
    time.sleep(0.1)
    server.switch('resume', node=1)
    check('completes when the node is back', c.read().status, 0)
    check('and is visible', other.get(key).value, b'3')
    time.sleep(0.05)
    check('so is the one whose client left', other.get(key2).value, b'3')

def test_unordered(server):
    key, free = key_in(3, b'u'), key_in(4, b'u')
    ordered, unordered = Client(server.kv[0]), Client(server.kv[0], features=FEATURES + (0xe,))
    ordered.set(free)
    server.switch('pause', node=1)
    for c, name, first in ((ordered, 'ordered', 1), (unordered, 'unordered', 2)):
        c.send(packet(1, b'\0' + key, b'3', bytes(8), vb=3, opaque=1, frames=b'\x13\x01' + struct.pack('>H', 400)) +
               packet(0, b'\0' + free, vb=4, opaque=2))
        a, b = c.read(), c.read()
        check(name + ': first', a.opaque, first)
        check(name + ': statuses', {a.opaque: a.status, b.opaque: b.status}, {1: 0xa3, 2: 0})
    unordered.send(packet(1, b'\0' + key, b'3', bytes(8), vb=3, opaque=1, frames=b'\x13\x01' + struct.pack('>H', 400)) +
                   packet(0x0a, opaque=2) + packet(0, b'\0' + free, vb=4, opaque=3, frames=b'\x00'))
    check('neither NOOP nor a barrier overtakes', [unordered.read().opaque for _ in range(3)], [1, 2, 3])
    server.switch('resume', node=1)

# ---------------------------------------------------------------- nodes and configurations

def test_configuration(server):
    watcher = Client(server.kv[0], features=FEATURES + (0xc, 0xd))
    c = Client(server.kv[0], features=FEATURES + (0x1e,))
    foreign = key_in(40, b'f')
    a = c.get(foreign)
    check('not my vBucket', (a.status, json.loads(a.value)['name']), (7, 'b'))
    a = c.get(foreign)
    check('de-duplicated', (a.status, a.value), (7, b''))
    server.switch('move', bucket='b', vbucket=5, to=1)
    a = watcher.read()
    config = json.loads(a.value)
    check('notified', (a.magic, a.op, a.key, a.datatype), (0x82, 1, b'b', 1))
    check('of this revision', struct.unpack('>QQ', a.ext), (config['revEpoch'], config['rev']))
    check('that has the move', config['vBucketServerMap']['vBucketMap'][5][0], 1)
    a = c.get(key_in(5))
    check('a new configuration is sent', json.loads(a.value)['rev'], config['rev'])
    check('known version', c.call(0xb5, ext=struct.pack('>QQ', config['revEpoch'], config['rev'])).value, b'')
    check('older version', len(c.call(0xb5, ext=struct.pack('>QQ', config['revEpoch'], config['rev'] - 1)).value) > 0)
    no_bucket = Client(server.kv[0], bucket=None)
    check('global configuration', 'vBucketServerMap' in json.loads(no_bucket.call(0xb5).value), False)
    server.switch('move', bucket='b', vbucket=5, to=0)
    check('one thisNode', [n.get('thisNode') for n in json.loads(Client(server.kv[1]).call(0xb5).value)['nodesExt']], [None, True])

def test_fail_over(server):
    c = Client(server.kv[0])
    owner = Client(server.kv[1])
    key = key_in(50, b'o')
    uuid = owner.set(key, b'"kept"').ext[:8]
    server.switch('kill', node=1)
    check('reset', owner.closed())
    try:
        socket.create_connection(server.kv[1], timeout=5)
        check('port closed', False)
    except OSError:
        pass
    check('no fail-over yet', c.get(key).status, 7)
    server.switch('failover', node=1)
    a = c.get(key)
    check('the replica took over', (a.status, a.value), (0, b'"kept"'))
    a = c.call(0x91, value=uuid, vb=50)
    check('old UUID: failed over', (a.status, a.value[:1]), (0, b'\1'))
    check('one node left', len(json.loads(c.call(0xb5).value)['nodesExt']), 1)
    check('no replica, no durability', c.set(key, frames=DURABLE).status, 0xa1)
    server.switch('revive', node=1)
    check('back on its port', Client(server.kv[1]).get(key).status, 0)
    check('and not here', c.get(key).status, 7)

def test_pause(server):
    c = Client(server.kv[1])
    server.switch('pause', node=1)
    c.send(packet(0x0a))
    check('paused: no answer', c.read(0.4), None)
    late = socket.create_connection(server.kv[1], timeout=5)
    server.switch('resume', node=1)
    check('answered afterwards', c.read().status, 0)
    late.sendall(packet(0x1f, b'late'))
    check('so is the connection made meanwhile', len(late.recv(24)), 24)

def test_faults(server):
    c = Client(server.kv[0])
    key = key_in(6, b'x')
    c.set(key)
    server.switch('tmpfail', node=0, count=2, opcode='0x00')
    check('two temporary failures', [c.get(key).status for _ in range(3)], [0x86, 0x86, 0])
    server.switch('fault', node=0, kind='status-after', status='0x84', opcode='0x01')
    check('done and denied', (c.set(key, b'9').status, c.get(key).value), (0x84, b'9'))
    server.switch('fault', node=0, kind='silent', opcode='0x00')
    c.send(packet(0, b'\0' + key, vb=6, opaque=1) + packet(0x0a, opaque=2))
    check('silent', c.read().opaque, 2)
    server.switch('fault', node=0, kind='corrupt', opcode='0x00', offset=28)
    check('corrupt', c.get(key).value, bytes([0xff ^ ord('9')]))
    server.switch('delay', node=0, ms=200)
    started = time.time()
    c.send(packet(0x0a) * 50)
    check('fifty delayed', [c.read().status for _ in range(50)], [0] * 50)
    check('together', 0.15 < time.time() - started < 1.5)
    server.switch('delay', node=0, ms=0)
    server.switch('fault', node=0, kind='delay', opcode='0x00', ms=200)
    started = time.time()
    check('one delayed', c.get(key).status, 0)
    check('by its time', 0.15 < time.time() - started < 1.5)
    for kind in ('close', 'close-after', 'truncate'):
        server.switch('fault', node=0, kind=kind, opcode='0x00', offset=10)
        broken = Client(server.kv[0])
        broken.send(packet(0, b'\0' + key, vb=6))
        check(kind, broken.closed())

# ---------------------------------------------------------------- documents

def test_time(server):
    c = Client(server.kv[0])
    key, locked = key_in(7, b't'), key_in(8, b't')
    c.set(key, expiry=100)
    c.set(locked)
    lock = c.call(0x94, b'\0' + locked, vb=8)
    check('locked', c.set(locked).status, 9)
    server.switch('clock', ms=20000)
    check('the lock ends', c.set(locked).status, 0)
    check('its CAS is worth nothing', c.set(locked, cas=lock.cas).status, 2)
    check('not yet expired', c.get(key).status, 0)
    server.switch('clock', ms=100000)
    check('expired', c.get(key).status, 1)
    a = c.call(0xa0, b'\0' + key, vb=7)
    check('a deletion now', struct.unpack('>I', a.ext[:4])[0], 1)

def collection_id(c, path):
    return struct.unpack('>I', c.call(0xbb, value=path).ext[8:])[0]

def test_collections(server):
    c = Client(server.kv[0])
    cid = collection_id(c, b's.short')
    key = bytes([cid]) + key_in(9, b'm')
    c.call(1, key, b'{}', bytes(8), vb=9)
    a = c.call(0xa0, key, vb=9)
    check('maximum expiry', 0 < struct.unpack('>I', a.ext[8:12])[0] - time.time() - 120 <= 61)
    guest = Client(server.kv[0], user='guest', password='guest')
    cid = collection_id(c, b's.c')
    key = bytes([cid]) + key_in(9, b'm')
    check('stored', c.call(1, key, b'{}', bytes(8), vb=9).status, 0)
    check('readable', guest.call(0, key, vb=9).status, 0)
    a = guest.call(1, key, b'{}', bytes(8), vb=9)
    check('not writable', (a.status, b'Upsert' in a.value), (0x24, True))
    short = bytes([collection_id(c, b's.short')]) + key_in(9, b'm')
    check('the next collection neither', guest.call(0, short, vb=9).status, 0x24)
    check('other scopes neither', guest.get(key_in(9)).status, 0x24)
    check('a wrong key length', guest.call(0, b'\0', vb=9).status, 4)
    check('no bucket', Client(server.kv[0], bucket=None).get(b'k').status, 8)
    check('missing bucket', c.call(0x89, b'none').status, 1)
    check('dropped', server.http('DELETE', '/pools/default/buckets/b/scopes/s/collections/c'), 200)
    check('unknown now', c.call(0, key, vb=9).status, 0x88)
    check('to guests too', guest.call(0, key, vb=9).status, 0x88)

def test_statistics(server):
    c = Client(server.kv[0])
    for i in range(50):
        c.set(key_in(i % 32, b'stat%d-' % i))
    c.send(packet(0x10))
    lines = {}
    while True:
        a = c.read()
        if not a.key:
            break
        lines[a.key] = a.value
    check('items counted', int(lines[b'curr_items']) >= 50)
    check('unknown group', c.call(0x10, b'nothing').status, 1)
    seqnos = c.call(0x48, ext=struct.pack('>I', 1)).value
    check('sequence numbers of 32 vBuckets', len(seqnos), 320)

def test_drops(server):
    c = Client(server.kv[0], bucket='single')
    scan = c.set(key_in(1))
    check('stored', scan.status, 0)
    check('bucket dropped', server.http('DELETE', '/pools/default/buckets/single'), 200)
    check('its connections are closed', c.closed())
    guest = Client(server.kv[0], user='guest', password='guest')
    check('user dropped', server.http('DELETE', '/settings/rbac/users/local/guest'), 200)
    check('its connections are closed', guest.closed())
    pending = Client(server.kv[0])
    server.switch('pause', node=1)
    pending.send(packet(1, b'\0' + key_in(2, b'd'), b'3', bytes(8), vb=2, frames=DURABLE))
    time.sleep(0.1)

def main():
    with Server() as server:
        for name, test in list(globals().items()):
            if name.startswith('test_'):
                test(server)
    print('%d checks, %d failed' % tuple(checks))
    sys.exit(checks[1] > 0)

if __name__ == '__main__':
    main()
