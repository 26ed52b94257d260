#!/usr/bin/env python3
"""What subdocument commands and scans of cbcluster do beside the recorded conversations: xattr forms, deletions, replicas,
back-pressure, cancelling, several connections at one scan, moves.

    subdoc_test.py CBCLUSTER

Starts CBCLUSTER (best a build with sanitizers) and exits with status 1 if anything differs. Python 3, standard library only."""
import base64, json, struct, sys, time
from kv_test import Client, Server, FEATURES, check, checks, key_in, packet, vbucket

XATTR, MACROS, BINARY, MKDIR = 4, 0x10, 0x20, 1
MKDOC, ADD, DELETED_TOO, AS_DELETED, REVIVE, REPLICA = 1, 2, 4, 8, 0x10, 0x20
GET, EXISTS, ADD_KEY, UPSERT, REMOVE, REPLACE, PUSH, FIRST, INSERT, UNIQUE, COUNTER, COUNT = 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd2
LOOKUP, MUTATE, TO_BODY = 0xd0, 0xd1, 0xd3

def one(c, op, key, path, value=b'', flags=0, doc=0, **k):
    ext = struct.pack('>HB', len(path), flags) + (bytes([doc]) if doc else b'')
    return c.call(op, b'\0' + key, path + value, ext, vb=vbucket(key), **k)

def many(c, op, key, specs, doc=0, **k):
    body = b''
    for code, flags, path, *value in specs:
        body += struct.pack('>BBH', code, flags, len(path))
        body += (struct.pack('>I', len(value[0])) if op == MUTATE else b'') + path + (value[0] if value else b'')
    return c.call(op, b'\0' + key, body, bytes([doc]) if doc else b'', vb=vbucket(key), **k)

def xattr(c, key, path, flags=XATTR, **k):
    a = one(c, GET, key, path, flags=flags, **k)
    return a.value if a.status in (0, 0xcd) else a.status

# ---------------------------------------------------------------- subdocument

def test_text(server):
    """Bytes that an operation does not touch stay."""
    c, key = Client(server.kv[0]), key_in(1, b't')
    for before, op, path, value, after in (
            (b'{ "a" : 1 ,\n "b":[ ] }', UPSERT, b'a', b' 2 ', b'{ "a" :  2  ,\n "b":[ ] }'),
            (b'{ "a" : 1 ,\n "b":[ ] }', PUSH, b'b', b'1,2', b'{ "a" : 1 ,\n "b":[1,2] }'),
            (b'{"a":1 , "b":2 }', REMOVE, b'a', b'', b'{ "b":2 }'),
            (b'{"a":1 , "b":2 }', REMOVE, b'b', b'', b'{"a":1  }'),
            (b'[1, 2 ,3]', REMOVE, b'[1]', b'', b'[1, 3]'),
            (b'[1, [2 ,3] ]', REMOVE, b'[-1][-1]', b'', b'[1, [2 ] ]'),
            (b' [ ] ', PUSH, b'', b'1', b' [1]'),
            (b'{"a":{"b":[]}}', FIRST, b'a.b', b'0', b'{"a":{"b":[0]}}'),
            (b'{"a\\u0062":1}', REPLACE, b'ab', b'2', b'{"a\\u0062":2}'),
            (b'{"a":[1,{"b":7}]}', COUNTER, b'a[-1].b', b'-9', b'{"a":[1,{"b":-2}]}'),
            (b'{"a":[1,2]}', INSERT, b'a[2]', b'3', b'{"a":[1,2,3]}'),
            (b'{"a":{}}', ADD_KEY, b'a.`x.y`', b'null', b'{"a":{"x.y":null}}')):
        c.set(key, before)
        check('%r' % (before,), one(c, op, key, path, value).status, 0)
        check('%r, %#x %r' % (before, op, path), c.get(key).value, after)
    c.set(key, b'{"a":{"b":[1,2,[3]]}}')
    for op, path, value, status in ((GET, b'a.b[2][1]', b'', 0xc0), (GET, b'a.b.c', b'', 0xc1), (COUNT, b'a.b[0]', b'', 0xc1),
                                    (UPSERT, b'a.b[0]', b'1', 0xc2), (INSERT, b'a.b[4]', b'1', 0xc0), (UNIQUE, b'a.b', b'9', 0xc1),
                                    (COUNTER, b'a.b', b'1', 0xc1), (COUNTER, b'a.c', b'01', 0xc8), (REPLACE, b'a.c', b'1', 0xc0),
                                    (UPSERT, b'a', b'1}', 0xc5), (PUSH, b'a.b', b'1]', 0xc5), (UPSERT, b'a', b'[' * 31 + b'1' + b']' * 31, 0xca)):
        check('%#x %r %r' % (op, path, value), one(c, op, key, path, value).status, status)

def test_xattr_forms(server):
    c, key = Client(server.kv[0]), key_in(2, b'x')
    c.set(key, b'{}')
    for given, kept in ((b'{"b":1,"a":2}', b'{"a":2,"b":1}'), (b' [ 1 , 2 ] ', b'[1,2]'), (b'1.50', b'1.5'), (b'1e2', b'100.0'), (b'1E-7', b'1e-07'),
                        (b'123456789012345678901234567890', b'1.2345678901234568e+29'), (b'-0', b'0'), (b'-0.0', b'-0.0'), (b'0.1', b'0.1'),
                        (b'{"a":1,"a":2}', b'{"a":2}'), (b'"\\u00e9\\n\\/"', '"é\\n/"'.encode()), (b'"\\ud83d\\ude00"', '"😀"'.encode()),
                        (b'18446744073709551615', b'18446744073709551615'), (b'1e15', b'1e+15'), (b'123456.789', b'123456.789')):
        check('upsert', one(c, UPSERT, key, b'x', given, XATTR).status, 0)
        check('form of %r' % given, xattr(c, key, b'x'), kept)
    check('listed in order', many(c, MUTATE, key, [(UPSERT, XATTR, b'z', b'1'), (UPSERT, XATTR, b'_s', b'1')]).status, 0)
    check('table of contents', xattr(c, key, b'$XTOC'), b'["_s","x","z"]')
    check('deletion keeps', c.call(4, b'\0' + key, vb=2).status, 0)
    check('system ones only', xattr(c, key, b'$XTOC', doc=DELETED_TOO), b'["_s"]')
    for bad in (b'"\xff"', b'"\\ud800"', b'1e999'):
        d = Client(server.kv[0])
        d.send(packet(UPSERT, b'\0' + key, b'x' + bad, struct.pack('>HBB', 1, XATTR, MKDOC), vb=2))
        check('%r closes' % bad, d.closed())

def test_macros(server):
    c, key = Client(server.kv[0]), key_in(3, b'm')
    old = c.set(key, b'{"v":1}')
    specs = [(UPSERT, XATTR | MKDIR | MACROS, b'm.' + n, b'"${%s}"' % m) for n, m in (
        (b'cas', b'Mutation.CAS'), (b'seqno', b'Mutation.seqno'), (b'crc', b'Mutation.value_crc32c'), (b'was', b'$document.CAS'),
        (b'bytes', b'$document.value_bytes'))]
    for frames in (b'', b'\x11\x01', b'\x11\x03'):
        a = many(c, MUTATE, key, specs + [(UPSERT, 0, b'v', b'2')], frames=frames)
        check('macros', a.status, 0)
        got = json.loads(xattr(c, key, b'm'))
        check('CAS', got['cas'], '0x%016x' % struct.unpack('<Q', struct.pack('>Q', a.cas))[0])
        check('seqno', got['seqno'], '0x%016x' % struct.unpack('>Q', a.ext[8:])[0])
        check('CRC-32C of {"v":2}', got['crc'], '0x%08x' % crc32c(b'{"v":2}'))
        check('$document.CAS before', got['was'], '0x%016x' % old.cas)
        check('$document.value_bytes', got['bytes'], 7)
        old = a
    check('unknown', one(c, UPSERT, key, b'm.x', b'"${$document.nope}"', XATTR | MACROS).status, 0xd5)
    check('$document whole', one(c, UPSERT, key, b'd', b'"${$document}"', XATTR | MACROS).status, 0)
    check('has flags', json.loads(xattr(c, key, b'd'))['flags'], 0)
    check('binary in', one(c, UPSERT, key, b'bin', b'\0\xff', XATTR | BINARY).status, 0)
    check('to the body', many(c, MUTATE, key, [(TO_BODY, XATTR | BINARY, b'bin', b'')]).status, 0)
    check('is the body', c.get(key).value, b'\0\xff')

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff

def test_deletions(server):
    c, key = Client(server.kv[0]), key_in(4, b'd')
    check('create as deleted', one(c, UPSERT, key, b'_a', b'1', XATTR, MKDOC | DELETED_TOO | AS_DELETED).status, 0xcd)
    check('is not there', c.get(key).status, 1)
    check('but found', xattr(c, key, b'_a', doc=DELETED_TOO), b'1')
    check('no body', many(c, MUTATE, key, [(UPSERT, XATTR, b'_b', b'1'), (TO_BODY, XATTR, b'_a', b'')], DELETED_TOO).status, 0xd7)
    check('revive', many(c, MUTATE, key, [(UPSERT, XATTR, b'_b', b'2'), (TO_BODY, XATTR, b'_a', b'')], DELETED_TOO | REVIVE).status, 0)
    check('is there', c.get(key).value, b'1')
    check('alive already', many(c, MUTATE, key, [(UPSERT, XATTR, b'_b', b'2')], DELETED_TOO | REVIVE).status, 0xd6)
    check('add to what exists', one(c, UPSERT, key, b'a', b'1', doc=ADD).status, 2)
    check('deleted CAS differs', (c.call(4, b'\0' + key, vb=4).status, one(c, UPSERT, key, b'_a', b'1', XATTR, DELETED_TOO, cas=1).status), (0, 2))
    check('mkdoc over a deletion', one(c, UPSERT, key, b'a.b', b'1', doc=MKDOC).status, 0)
    check('starts afresh', (c.get(key).value, xattr(c, key, b'_b')), (b'{"a":{"b":1}}', 0xc0))

def test_replica(server):
    active, replica, key = Client(server.kv[0]), Client(server.kv[1]), key_in(5, b'r')
    active.set(key, b'{"a":1}')
    check('replica', one(replica, GET, key, b'a', doc=REPLICA).value, b'1')
    check('replica, several', many(replica, LOOKUP, key, [(GET, 0, b'a')], REPLICA).status, 0)
    check('not without the flag', one(replica, GET, key, b'a').status, 7)
    check('not of the active', one(active, GET, key, b'a', doc=REPLICA).status, 7)

def test_rights(server):
    guest = Client(server.kv[0], user='guest', password='guest')
    key = key_in(6, b'g')
    check('reading elsewhere', one(guest, GET, key, b'a').status, 0x24)
    scan = create(guest, 6, {})
    check('scanning', scan.status, 0x24)

# ---------------------------------------------------------------- scans

def create(c, vb, spec, start=b'\0', end=b'\xff' * 4, uuid=None, seqno=0):
    if 'sampling' not in spec:
        spec = dict(spec, range={'start': base64.b64encode(start).decode(), 'end': base64.b64encode(end).decode()})
    if uuid is not None:
        spec['snapshot_requirements'] = {'vb_uuid': str(uuid), 'seqno': seqno, 'timeout_ms': 5000}
    return c.call(0xda, value=json.dumps(spec).encode(), vb=vb, datatype=1)

def proceed(uuid, vb, items=0, ms=0, opaque=1):
    return packet(0xdb, ext=uuid + struct.pack('>III', items, ms, 0), vb=vb, opaque=opaque)

def leb(data, at):
    n = shift = 0
    while True:
        byte = data[at]
        n |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return n, at

def records(data):
    """(key, value, datatype) of each document of a joined value."""
    out, at = [], 0
    while at < len(data):
        datatype, at = data[at + 24], at + 25
        n, at = leb(data, at)
        key, at = data[at:at + n], at + n
        n, at = leb(data, at)
        out.append((key, data[at:at + n], datatype))
        at += n
    return out

def drain(c):
    """The rest of a continue: last status, joined values, longest of them."""
    data, longest = b'', 0
    while True:
        a = c.read()
        data += a.value
        longest = max(longest, len(a.value))
        if a.status:
            return a.status, data, longest

def fill(c, vb, n, value, prefix=b's'):
    """Stores n documents in a vBucket; their keys in order, and the token of the last."""
    keys, i = [], 0
    while len(keys) < n:
        key = b'%s%07d' % (prefix, i)
        i += 1
        if vbucket(key) == vb:
            keys.append(key)
    for k in keys:
        c.send(packet(1, b'\0' + k, value, bytes(8), vb=vb))
        a = c.read()
    check('stored', a.status, 0)
    return keys, struct.unpack('>QQ', a.ext)

def memory(server):
    return int(next(l for l in open('/proc/%d/status' % server.process.pid) if l.startswith('VmRSS')).split()[1]) << 10

def test_back_pressure(server):
    """A client that does not read costs no memory, and gets everything in the end."""
    c, other, vb = Client(server.kv[0], 'single'), Client(server.kv[0], 'single'), 10
    value = b'"' + b'v' * 99998 + b'"'
    keys, token = fill(c, vb, 400, value)
    scan = create(c, vb, {}, uuid=token[0], seqno=token[1])
    check('create', scan.status, 0)
    before = memory(server)
    c.send(proceed(scan.value, vb))
    time.sleep(0.5)
    check('under 8 MiB more', memory(server) - before < 8 << 20)
    check('others are served', other.call(0x0a).status, 0)
    status, data, longest = drain(c)
    check('complete', (status, longest), (0xa7, longest if longest < 200000 else 0))
    check('all of it', records(data), [(k, value, 1) for k in keys])
    return keys

def test_one_scan_two_connections(server, keys):
    vb = 10
    a, b = Client(server.kv[0], 'single'), Client(server.kv[0], 'single')
    scan = create(a, vb, {}).value
    a.send(proceed(scan, vb))
    time.sleep(0.2)
    b.send(proceed(scan, vb))
    check('the second continue is closed', b.closed())
    b = Client(server.kv[0], 'single')
    check('cancel', b.call(0xdc, ext=scan, vb=vb).status, 0)
    check('ends the continue', drain(a)[0], 1)
    check('which lives on', a.call(0x0a).status, 0)
    scan = create(a, vb, {}).value
    a.send(proceed(scan, vb))
    time.sleep(0.2)
    a.s.close()
    time.sleep(0.2)
    check('a broken connection takes its scan along', b.call(0xdc, ext=scan, vb=vb).status, 1)
    scan = create(b, vb, {}).value
    b.send(proceed(scan, vb) + packet(0x0a, opaque=9))
    time.sleep(0.2)
    server.switch('move', bucket='single', vbucket=vb, to=1)
    check('a move ends it', drain(b)[0], 7)
    check('and what waited goes on', b.read().opaque, 9)
    server.switch('move', bucket='single', vbucket=vb, to=0)

def test_limits(server):
    c, vb = Client(server.kv[0], 'single'), 11
    keys, token = fill(c, vb, 300, b'"' + b'v' * 2998 + b'"')
    scan = create(c, vb, {}, uuid=token[0], seqno=token[1]).value
    got, status, rounds = [], 0xa6, 0
    while status == 0xa6:
        c.send(proceed(scan, vb, items=(7, 64, 1)[rounds % 3]) if rounds % 2 else proceed(scan, vb, ms=1))
        status, data, _ = drain(c)
        got += [k for k, _, _ in records(data)]
        rounds += 1
    check('each once, in order', (status, got), (0xa7, keys))
    sample = []
    for seed in (5, 5, 6):
        scan = create(c, vb, {'sampling': {'samples': 100, 'seed': seed}, 'key_only': True}).value
        c.send(proceed(scan, vb))
        sample.append(drain(c)[1])
    check('same seed, same sample', (sample[0] == sample[1], sample[0] == sample[2]), (True, False))
    opened = []
    while True:
        a = create(c, vb, {'key_only': True})
        if a.status:
            break
        opened.append(a.value)
    check('too many', (a.status, len(opened) > 100), (0x85, True))
    for scan in opened:
        check('cancel', c.call(0xdc, ext=scan, vb=vb).status, 0)
    check('room again', create(c, vb, {}).status, 0)

def test_values(server):
    """Compressed documents go compressed to those who can; xattrs never go."""
    c, plain, vb = Client(server.kv[0], 'single'), Client(server.kv[0], 'single', (4, 6, 7, 8, 0xb, 0x12)), 12
    key = key_in(vb, b'c')
    text = b'"' + b'y' * 5000 + b'"'
    packed = snappy(text)
    check('compressed', c.call(1, b'\0' + key, packed, bytes(8), vb=vb, datatype=3).status, 0)
    other = key_in(vb, b'd')
    plain.set(other, b'{"a":1}')
    a = one(plain, UPSERT, other, b'x', b'1', XATTR)
    uuid, seqno = struct.unpack('>QQ', a.ext)
    for client, want in ((c, (key, packed, 3)), (plain, (key, text, 1))):
        scan = create(client, vb, {}, uuid=uuid, seqno=seqno)
        client.send(proceed(scan.value, vb))
        check('documents', records(drain(client)[1]), [want, (other, b'{"a":1}', 1)])

def snappy(data):
    """One literal and copies: enough for a text that repeats itself."""
    n, out = len(data), b''
    while True:
        out += bytes([n & 0x7f | (0x80 if n > 0x7f else 0)])
        n >>= 7
        if not n:
            break
    out += bytes([1 << 2]) + data[:2]
    left = len(data) - 3
    while left:
        k = min(left, 64)
        out += struct.pack('<BH', (k - 1) << 2 | 2, 1)
        left -= k
    return out + bytes([0]) + data[-1:]

def main(argv):
    if len(argv) != 1:
        raise SystemExit(__doc__)
    with Server() as server:
        run_all(server)
    print('%d checks, %d failed' % tuple(checks))
    return 1 if checks[1] else 0

def run_all(server):
    for test in (test_text, test_xattr_forms, test_macros, test_deletions, test_replica, test_rights, test_limits, test_values):
        test(server)
    test_one_scan_two_connections(server, test_back_pressure(server))

if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
