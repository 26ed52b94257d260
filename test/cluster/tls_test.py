#!/usr/bin/env python3
"""What the TLS ports of cbcluster do, with the certificates of test/tls/make-certs.sh.

    tls_test.py CBCLUSTER

Starts CBCLUSTER (best a build with sanitizers) and exits with status 1 if anything differs. Python 3, standard library only."""
import base64, http.client, json, os, select, socket, ssl, struct, subprocess, sys, tempfile, warnings

from cluster_process import ClusterProcess

HEADER = struct.Struct('>BBHBBHIIQ')
ADMIN = 'Basic ' + base64.b64encode(b'Administrator:password').decode()
MAKE_CERTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tls', 'make-certs.sh')
TESTS, failures = [], []
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

def test(function):
    TESTS.append(function)
    return function

def same(got, expected):
    if got != expected:
        raise AssertionError('got %r, expected %r' % (got, expected))

class Cluster(ClusterProcess):
    certs = None

    def __init__(self, *args, cert='server', client_auth=None):
        args = list(args)
        if cert:
            args += ['--tls-cert', self.file(cert + '.pem'), '--tls-key', self.file(cert + '.key')]
        if client_auth:
            args += ['--tls-client-ca', self.file('ca.pem'), '--tls-client-auth', client_auth]
        super().__init__(*args)

    def file(self, name):
        return os.path.join(Cluster.certs, name)

    def address(self, kind='kvs', node=0):
        return super().address(kind, node)

    def switch(self, text):
        return self.post(text)

    def context(self, low=V12, high=V13, client=None, ca='ca', hostname=True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF    # on by default up to Python 3.11.3
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            context.minimum_version, context.maximum_version = low, high
        if low < V12:
            context.set_ciphers('ALL:@SECLEVEL=0')
        context.check_hostname = hostname
        context.hostname_checks_common_name = False
        context.load_verify_locations(self.file(ca + '.pem'))
        if client:
            context.load_cert_chain(self.file(client + '.pem'), self.file(client + '.key'))
        return context

    def connect(self, node=0, kind='kvs', name='127.0.0.1', **settings):
        link = socket.create_connection(self.address(kind, node), timeout=10)
        return self.context(**settings).wrap_socket(link, server_hostname=name)

    def refused(self, **settings):
        """Why a connection cannot be made or used: the reason of OpenSSL, or 'end', 'reset'."""
        try:
            link = self.connect(**settings)
            link.sendall(packet(0x0a))
            return 'end' if link.recv(1) == b'' else 'nothing'
        except ssl.SSLError as e:
            return e.reason
        except ConnectionError:
            return 'reset'

def packet(op, key=b'', value=b'', ext=b'', vb=0):
    return HEADER.pack(0x80, op, len(key), len(ext), 0, vb, len(key) + len(value) + len(ext), 1, 0) + ext + key + value

def receive(link, n):
    data = b''
    while len(data) < n:
        more = link.recv(n - len(data))
        if not more:
            raise AssertionError('the connection ended')
        data += more
    return data

def call(link, *args, **more):
    """Status and body of the answer to a request."""
    link.sendall(packet(*args, **more))
    head = HEADER.unpack(receive(link, 24))
    return head[5], receive(link, head[6])

def login(link, bucket=b'default'):
    same(call(link, 0x21, b'PLAIN', b'\0Administrator\0password')[0], 0)
    same(call(link, 0x89, bucket)[0], 0)
    return link

def get_https(cluster, path, authorization=ADMIN, **settings):
    link = http.client.HTTPSConnection(*cluster.address('management_tls'), timeout=10, context=cluster.context(**settings))
    link.request('GET', path, headers={'Authorization': authorization} if authorization else {})
    answer = link.getresponse()
    body = answer.read()
    link.close()
    return answer.status, body

# ---------------------------------------------------------------- ports

@test
def no_ports_without_certificates():
    with Cluster(cert=None) as c:
        same((c.ready['kvs'], c.ready['management_tls']), ([], []))
        link = http.client.HTTPConnection(c.ready['management'][0], timeout=10)
        link.request('GET', '/pools/default/b/default', headers={'Authorization': ADMIN})
        services = json.loads(link.getresponse().read())['nodesExt'][0]['services']
        link.close()
        same(sorted(services), ['kv', 'mgmt', 'n1ql'])

@test
def ports_are_in_the_configuration():
    with Cluster('--nodes', '3') as c:
        ports = lambda kind: [int(a.split(':')[1]) for a in c.ready[kind]]
        same(len(set(ports('kv') + ports('kvs') + ports('management') + ports('management_tls'))), 12)
        link = login(c.connect(node=1))
        config = json.loads(call(link, 0xb5)[1])
        link.close()
        for service, kind in (('kv', 'kv'), ('kvSSL', 'kvs'), ('mgmt', 'management'), ('mgmtSSL', 'management_tls')):
            same([n['services'][service] for n in config['nodesExt']], ports(kind))
        same([n.get('thisNode', False) for n in config['nodesExt']], [False, True, False])

@test
def arguments_are_checked():
    f = lambda name: os.path.join(Cluster.certs, name)
    good = ['--tls-cert', f('server.pem'), '--tls-key', f('server.key')]
    for args, text in ((good[:2], 'needs a certificate and its key'), (['--tls-min', '1.2'], 'needs a certificate'),
                       (good[:3] + [f('other.key')], 'mismatch'), (good[:3] + ['/nowhere'], '"/nowhere" cannot be used'),
                       (['--tls-cert', f('garbage.pem')] + good[2:], 'garbage.pem'),
                       (good + ['--tls-min', '1.1'], '1.1'), (good + ['--tls-client-auth', 'maybe'], 'maybe'),
                       (good + ['--tls-client-auth', 'enabled'], 'need an authority')):
        done = subprocess.run([sys.argv[1]] + args, capture_output=True, timeout=10)
        same((done.returncode in (1, 2), text in done.stderr.decode()), (True, True))

@test
def start_up_file():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'config')
        user = {'name': 'Administrator', 'password': 'password', 'roles': ['admin']}
        tls = {'cert': os.path.join(Cluster.certs, 'server.pem'), 'key': os.path.join(Cluster.certs, 'server.key'), 'min_version': '1.3'}
        json.dump({'nodes': 1, 'buckets': [{'name': 'default'}], 'users': [user], 'tls': tls}, open(path, 'w'))
        with Cluster('--config', path, cert=None) as c:
            same(login(c.connect()).version(), 'TLSv1.3')
        json.dump({'tls': {'cert': 'x', 'key': 'y', 'client_auth': 'z'}}, open(path, 'w'))
        done = subprocess.run([sys.argv[1], '--config', path], capture_output=True, timeout=10)
        same((done.returncode, 'client_auth' in done.stderr.decode()), (1, True))

# ---------------------------------------------------------------- versions and what is no TLS

@test
def versions():
    with Cluster() as c:
        for version, name in ((V12, 'TLSv1.2'), (V13, 'TLSv1.3')):
            link = c.connect(low=version, high=version)
            same(link.version(), name)
            login(link)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            same(c.refused(low=version, high=version), 'TLSV1_ALERT_PROTOCOL_VERSION')
    with Cluster('--tls-min', '1.3') as c:
        same(c.refused(high=V12), 'TLSV1_ALERT_PROTOCOL_VERSION')
        same(c.connect().version(), 'TLSv1.3')

@test
def plain_text_on_the_tls_port_is_reset():
    with Cluster() as c:
        for data in (packet(0x1f, b'agent'), b'GET / HTTP/1.1\r\nHost: x\r\n\r\n'):
            link = socket.create_connection(c.address(), timeout=10)
            link.sendall(data)
            try:
                same(link.recv(10), 'a reset')
            except ConnectionResetError:
                pass

@test
def tls_on_the_plain_port_is_closed():
    with Cluster() as c:
        same(c.refused(kind='kv') in ('end', 'reset', 'UNEXPECTED_EOF_WHILE_READING', None), True)

@test
def server_name_is_not_needed():
    with Cluster() as c:
        link = socket.create_connection(c.address(), timeout=10)
        login(c.context(hostname=False).wrap_socket(link))

# ---------------------------------------------------------------- certificates of the server

@test
def every_kind_of_certificate():
    ok, name, chain = 'nothing', 'mismatch', 'certificate verify failed'
    for cert, host, expected in (
            ('server', 'localhost', ok), ('server', '127.0.0.1', ok), ('server', '::1', ok),
            ('dns-only', 'localhost', ok), ('dns-only', '127.0.0.1', name), ('ip-only', '127.0.0.1', ok),
            ('ip-only', 'localhost', name), ('cn-only', 'localhost', name), ('wildcard', 'a.cb.localhost', ok),
            ('wildcard', 'a.b.cb.localhost', name), ('wrong-host', 'localhost', name), ('wrong-ip', '127.0.0.1', name),
            ('expired', 'localhost', 'expired'), ('not-yet', 'localhost', 'not yet valid'),
            ('unknown-ca', 'localhost', 'unable to get local issuer'), ('self-signed', 'localhost', 'self-signed'),
            ('intermediate', 'localhost', ok), ('wrong-usage', 'localhost', 'unsuitable certificate purpose')):
        with Cluster('--nodes', '1', cert=cert) as c:
            try:
                c.connect(name=host).close()
                result = ok
            except ssl.SSLCertVerificationError as e:
                result = e.verify_message
            if expected not in result:
                raise AssertionError('%s for %s: %s' % (cert, host, result))

# ---------------------------------------------------------------- client certificates

@test
def client_certificates_disabled():
    with Cluster() as c:
        link = c.connect(client='client')
        same(call(link, 0x20), (0, b'SCRAM-SHA512 SCRAM-SHA256 SCRAM-SHA1 PLAIN'))
        same(call(link, 0x89, b'default')[0], 0x24)
        login(link)

@test
def client_certificates_enabled():
    with Cluster(client_auth='enabled') as c:
        for version in (V12, V13):
            login(c.connect(high=version))
            link = c.connect(client='client', high=version)
            same(call(link, 0x20)[0], 0x83)
            same(call(link, 0x21, b'PLAIN', b'\0Administrator\0password')[0], 0x83)
            same(call(link, 0x22, b'PLAIN', b'x')[0], 0x83)
            same(call(link, 0x89, b'default')[0], 0)
        same(call(c.connect(client='client-intermediate'), 0x89, b'default')[0], 0)

@test
def client_certificates_mandatory():
    with Cluster(client_auth='mandatory') as c:
        same(call(c.connect(client='client'), 0x89, b'default')[0], 0)
        same(c.refused(), 'TLSV13_ALERT_CERTIFICATE_REQUIRED')
        same(c.refused(high=V12), 'SSLV3_ALERT_HANDSHAKE_FAILURE')

@test
def bad_client_certificates():
    for mode in ('enabled', 'mandatory'):
        with Cluster(client_auth=mode) as c:
            for high in (V12, V13):
                same(c.refused(client='client-unknown-ca', high=high), 'TLSV1_ALERT_UNKNOWN_CA')
                same(c.refused(client='client-expired', high=high), 'SSLV3_ALERT_CERTIFICATE_EXPIRED')
                same(c.refused(client='client-unknown-user', high=high) in ('end', 'reset', 'UNEXPECTED_EOF_WHILE_READING'), True)

@test
def tls_1_3_refuses_after_the_handshake():
    with Cluster(client_auth='mandatory') as c:
        for client in (None, 'client-unknown-ca'):
            link = c.connect(client=client, low=V13)
            try:
                link.recv(1)
                raise AssertionError('accepted')
            except ssl.SSLError:
                pass
            try:
                c.connect(client=client, high=V12)
                raise AssertionError('accepted')
            except ssl.SSLError:
                pass

@test
def a_dropped_user_loses_the_connection():
    with Cluster(client_auth='enabled') as c:
        link = c.connect(client='client')
        same(call(link, 0x89, b'default')[0], 0)
        request = http.client.HTTPConnection(c.ready['management'][0], timeout=10)
        request.request('DELETE', '/settings/rbac/users/local/Administrator', headers={'Authorization': ADMIN})
        same(request.getresponse().status, 200)
        request.close()
        try:
            same(link.recv(1), b'')
        except (ssl.SSLError, ConnectionError):
            pass

# ---------------------------------------------------------------- traffic

@test
def large_traffic():
    with Cluster('--nodes', '1') as c:
        for version in (V12, V13):
            link = login(c.connect(high=version))
            value = os.urandom(5 << 20)
            same(call(link, 0x01, b'key', value, ext=bytes(8), vb=vbucket(b'key'))[0], 0)
            link.sendall(packet(0x00, b'key', vb=vbucket(b'key')) * 10)
            for _ in range(10):
                head = HEADER.unpack(receive(link, 24))
                body = receive(link, head[6])
                same((head[5], len(body), body[4:] == value), (0, 4 + len(value), True))

@test
def small_pieces():
    """A client whose records come byte by byte, and many requests in one record."""
    with Cluster('--nodes', '1') as c:
        link = socket.create_connection(c.address(), timeout=10)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = c.context().wrap_bio(into, out, server_hostname='localhost')

        def step(function):
            while True:
                try:
                    return function()
                except ssl.SSLWantReadError:
                    for byte in out.read():
                        link.sendall(bytes([byte]))
                    into.write(link.recv(7))
        step(tls.do_handshake)
        tls.write(packet(0x0a) * 500)
        data = b''
        while len(data) < 24 * 500:
            data += step(lambda: tls.read(100000))
        same((data[:2], len(data)), (b'\x81\x0a', 24 * 500))

def vbucket(key):
    import zlib
    return zlib.crc32(key) >> 16 & 0x3ff

@test
def fault_switches_work_under_tls():
    with Cluster() as c:
        link = login(c.connect())
        same(c.switch('fault?node=0&kind=status&status=0x86&opcode=0x0a')[0], 200)
        same([call(link, 0x0a)[0] for _ in range(2)], [0x86, 0])
        same(c.switch('pause?node=0')[0], 200)
        link.sendall(packet(0x0a))
        same(select.select([link], [], [], 0.3)[0], [])
        same(c.switch('resume?node=0')[0], 200)
        receive(link, 24)
        same(c.switch('kill?node=0')[0], 200)
        try:
            same(link.recv(1), b'')
        except (ssl.SSLError, ConnectionError):
            pass
        for kind in ('kvs', 'management_tls'):
            try:
                socket.create_connection(c.address(kind), timeout=5)
                raise AssertionError('the port is open')
            except ConnectionRefusedError:
                pass
        same(c.switch('revive?node=0')[0], 200)
        login(c.connect())
        same(get_https(c, '/pools')[0], 200)

@test
def new_keys():
    """TLS 1.3: the client answers a key update; 1.2: Python's client refuses a new handshake and goes on."""
    with Cluster() as c:
        for version in (V12, V13):
            link = login(c.connect(high=version))
            for _ in range(3):
                same(c.switch('rekey?node=all')[0], 200)
                same([call(link, 0x0a)[0] for _ in range(3)], [0, 0, 0])
            link.close()
    with Cluster(cert=None) as c:
        same(c.switch('rekey?node=0')[0], 400)

@test
def request_and_broken_record_in_one_piece():
    """What breaks TLS ends the connection, also when it comes right behind a good request."""
    with Cluster() as c:
        link = socket.create_connection(c.address(), timeout=5)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        stream = c.context(high=V12).wrap_bio(incoming, outgoing, server_hostname='127.0.0.1')
        while True:
            try:
                stream.do_handshake()
                break
            except ssl.SSLWantReadError:
                link.sendall(outgoing.read())
                incoming.write(link.recv(65536))
        stream.write(packet(0x1f))
        link.sendall(outgoing.read() + b'\x17\x03\x03\x00\x20' + bytes(32))
        while link.recv(65536):
            pass

@test
def truncation_is_not_an_end():
    """A cut connection has no close_notify, one that the server means to end has."""
    with Cluster() as c:
        link = login(c.connect())
        link.sendall(packet(0x07))
        receive(link, 24)
        link.suppress_ragged_eofs = False
        same(link.recv(1), b'')
        c.switch('wire?node=0&kind=close&after=3000')
        link = c.connect()
        link.suppress_ragged_eofs = False
        try:
            while call(link, 0x0a):
                pass
        except ssl.SSLError as e:
            same('EOF' in (e.reason or str(e)), True)

@test
def round_trips_are_counted():
    flights = lambda c: c.switch('status')[1]['nodes'][0]['flights']
    with Cluster('--nodes', '1') as c:
        for version, handshake in ((V12, 2), (V13, 1)):
            before = flights(c)
            link = c.connect(low=version, high=version)
            call(link, 0x0a)
            call(link, 0x0a)
            link.close()
            same(flights(c) - before, handshake + 2)

@test
def spoilt_bytes():
    import random
    chance = random.Random(1)
    hello = []
    with Cluster('--nodes', '1', client_auth='enabled') as c:
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            c.context().wrap_bio(into, out, server_hostname='localhost').do_handshake()
        except ssl.SSLWantReadError:
            hello = bytearray(out.read())
        for _ in range(1500):
            data = bytearray(hello)
            for _ in range(chance.randint(0, 5)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            data = data[:chance.randrange(len(data) + 1)] if chance.random() < 0.3 else data + os.urandom(chance.randrange(99))
            link = socket.create_connection(c.address(chance.choice(('kvs', 'management_tls'))), timeout=5)
            try:
                link.sendall(data)
                link.settimeout(0.002)
                link.recv(10000)
            except OSError:
                pass
            link.close()
        login(c.connect())
        same(get_https(c, '/pools')[0], 200)

# ---------------------------------------------------------------- management service

@test
def management_by_tls():
    with Cluster() as c:
        for version in (V12, V13):
            same(get_https(c, '/pools/default/b/default', high=version)[0], 200)
        same(get_https(c, '/pools', authorization=None)[0], 401)
        link = c.connect(kind='management_tls')
        link.sendall(('GET /pools/default/bs/default HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n\r\n' % ADMIN).encode())
        same(b'200 OK' in link.recv(65536), True)
        same(c.switch('revision')[0], 200)
        data = b''
        while data.count(b'\n\n\n\n') < 2:
            data += link.recv(65536)
        link.close()
        same(c.switch('revision')[0], 200)

@test
def management_by_certificate():
    with Cluster(client_auth='enabled') as c:
        same(get_https(c, '/pools', authorization=None, client='client')[0], 200)
        same(get_https(c, '/pools', client=None)[0], 200)
        same(get_https(c, '/pools', client='client-unknown-user')[0], 401)

# ---------------------------------------------------------------- changing certificates

@test
def certificates_change():
    with Cluster() as c:
        link = login(c.connect())
        change = lambda text: c.switch('certificate?node=%s' % text)
        same(change('0&cert=%s&key=%s' % (c.file('expired.pem'), c.file('expired.key')))[0], 200)
        same(c.refused(), 'CERTIFICATE_VERIFY_FAILED')
        same(c.refused(node=1), 'nothing')
        same(call(link, 0x0a)[0], 0)
        try:
            get_https(c, '/pools')
            raise AssertionError('accepted')
        except ssl.SSLCertVerificationError:
            pass
        same(change('all&cert=%s&key=%s&min_version=1.3' % (c.file('server.pem'), c.file('server.key')))[0], 200)
        same((c.refused(), c.refused(high=V12)), ('nothing', 'TLSV1_ALERT_PROTOCOL_VERSION'))
        same(change('all&client_auth=mandatory&client_ca=%s' % c.file('ca.pem'))[0], 200)
        same(c.refused(), 'TLSV13_ALERT_CERTIFICATE_REQUIRED')
        same(change('all&client_auth=disabled')[0], 200)
        same(c.refused(), 'nothing')
        for bad in ('0&cert=/nowhere', '0&client_auth=x', '0&min_version=1.0', '0&key=' + c.file('other.key'), '0'):
            same(change(bad)[0], 400)
        same(c.refused(), 'nothing')
    with Cluster(cert=None) as c:
        same(c.switch('certificate?node=0&cert=%s&key=%s' % (c.file('server.pem'), c.file('server.key')))[0], 400)

def main():
    with tempfile.TemporaryDirectory() as folder:
        Cluster.certs = os.path.join(folder, 'certs')
        subprocess.run([MAKE_CERTS, Cluster.certs], check=True)
        for function in TESTS:
            if len(sys.argv) > 2 and sys.argv[2] not in function.__name__:
                continue
            try:
                function()
            except Exception as e:
                failures.append(function.__name__)
                print('FAIL %s: %s: %s' % (function.__name__, type(e).__name__, e))
    print('tls_test: %d tests, %d failed' % (len(TESTS), len(failures)))
    return 1 if failures else 0

if __name__ == '__main__':
    sys.exit(main())
