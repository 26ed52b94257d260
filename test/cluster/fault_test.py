#!/usr/bin/env python3
"""What the switches of the control port do to the data port, the management service and the configurations.

    fault_test.py CBCLUSTER [TEXT]

Starts CBCLUSTER (best a build with sanitizers) for every test whose name contains TEXT; exit status 1 if anything differs.
Python 3, standard library only."""
import base64, hashlib, hmac, http.client, json, socket, struct, sys, time, urllib.parse

from cluster_process import ClusterProcess
from kv_test import Client, FEATURES, key_in, packet

TESTS = []
ADMIN = {'Authorization': 'Basic ' + base64.b64encode(b'Administrator:password').decode()}
USERS = [{'name': 'Administrator', 'password': 'password', 'roles': ['admin']}]
BUCKET = {'name': 'b', 'vbuckets': 64, 'replicas': 1, 'scopes': {'s': {'collections': {'c': {}, 'short': {'max_expiry': 60}}}}}
NOTIFY = FEATURES + (0x0c, 0x0d)

def test(function):
    TESTS.append(function)
    return function

def same(got, expected):
    if got != expected:
        raise AssertionError('got %r, expected %r' % (got, expected))

class Cluster(ClusterProcess):
    def __init__(self, *args, nodes=2, **config):
        super().__init__(*args, config={'nodes': nodes, 'buckets': [BUCKET], 'users': USERS, **config})

    def call(self, switch, body=None, **arguments):
        return self.post('%s?%s' % (switch, urllib.parse.urlencode(arguments)), body)

    def switch(self, switch, body=None, **arguments):
        status, result = self.call(switch, body, **arguments)
        if status != 200:
            raise AssertionError('%s: %s' % (switch, result))
        return result

    def refused(self, switch, body=None, **arguments):
        same(self.call(switch, body, **arguments)[0], 400)

    def get(self, path, node=0, timeout=10):
        link = http.client.HTTPConnection(self.ready['management'][node], timeout=timeout)
        link.request('GET', path, headers=ADMIN)
        answer = link.getresponse()
        body = answer.read()
        link.close()
        return answer.status, body

    def client(self, node=0, **settings):
        return Client(self.address(node=node), **settings)

    def config(self, node=0, bucket='b'):
        return json.loads(self.get('/pools/default/b/' + bucket, node)[1])

def config_of(client):
    return json.loads(client.call(0xb5).value)

def version(config):
    return config['revEpoch'], config['rev']

def active(config):
    return [row[0] for row in config['vBucketServerMap']['vBucketMap']]

# ---------------------------------------------------------------- connections

@test
def cut_after_n_bytes():
    with Cluster() as c:
        for after in (0, 1, 24, 100, 1000):
            c.switch('wire', node=0, kind='close', after=after)
            client = c.client(user=None)
            client.send(packet(0x0a) * 100)
            got = b''
            while True:
                data = client.s.recv(4096)
                if not data:
                    break
                got += data
            same(len(got), after)
        same(c.client().call(0x0a).status, 0)

@test
def cut_by_reset_on_every_connection():
    with Cluster() as c:
        c.switch('wire', node=0, kind='reset', after=30, count=-1)
        for _ in range(3):
            client = c.client(user=None)
            client.send(packet(0x0a) * 2)
            try:
                while client.s.recv(4096):
                    pass
                raise AssertionError('no reset')
            except ConnectionResetError:
                pass
        c.switch('clear', node=0)
        same(c.client().call(0x0a).status, 0)

@test
def corrupt_byte_of_the_wire():
    with Cluster() as c:
        c.switch('wire', node=0, kind='corrupt', after=24 + 6)
        client = c.client(user=None)
        same([client.call(0x0a).status for _ in range(3)], [0x24, 0xff24, 0x24])
        same(c.client(user=None).call(0x0a).status, 0x24)

@test
def stall_of_the_wire():
    with Cluster() as c:
        c.switch('wire', node=0, kind='stall', after=36)
        client = c.client(user=None)
        client.send(packet(0x0a) * 2)
        same((client.read().status, client.read(0.3)), (0x24, None))
        same((len(client.buf), client.closed(0.2)), (12, False))
        same(c.client().call(0x0a).status, 0)

@test
def hang():
    with Cluster() as c:
        for kind, answered in (('hang', 0), ('hang-after', 1)):
            c.switch('fault', node=0, kind=kind, opcode=0x1f)
            client = c.client(user=None)
            client.send(packet(0x1f, b'agent') + packet(0x0a))
            same(client.read(0.3) is not None, answered == 1)
            same(client.read(0.2), None)
            same(client.closed(0.2), False)
            same(c.client().call(0x0a).status, 0)

@test
def refuse_and_accept():
    with Cluster() as c:
        client = c.client()
        c.switch('refuse', node=0)
        same(client.call(0x0a).status, 0)
        for kind in ('kv', 'management'):
            try:
                host, port = c.ready[kind][0].split(':')
                socket.create_connection((host, int(port)), timeout=5)
                raise AssertionError('the port is open')
            except ConnectionRefusedError:
                pass
        same(c.switch('status')['nodes'][0]['refusing'], True)
        c.switch('accept', node=0)
        same(c.client().call(0x0a).status, 0)
        same(c.get('/pools')[0], 200)
        c.switch('refuse', node=0)
        c.switch('kill', node=0)
        c.switch('revive', node=0)
        same(c.client().call(0x0a).status, 0)

@test
def any_status_for_the_next_operations():
    with Cluster() as c:
        client = c.client()
        for status in (0x01, 0x08, 0x24, 0x25, 0x86, 0xff):
            c.switch('fault', node=0, kind='status', status=status, opcode=0x0a, count=2)
            same([client.call(0x0a).status for _ in range(3)], [status, status, 0])

@test
def connections_are_counted():
    with Cluster() as c:
        clients = [c.client() for _ in range(3)]
        clients.pop().s.close()
        time.sleep(0.1)
        node = c.switch('status')['nodes'][0]
        same((node['connections'], node['accepted']), (2, 3))

# ---------------------------------------------------------------- log-ins

def scram(cluster):
    """SCRAM-SHA1 as a careful client does it: what was wrong, or None."""
    client = cluster.client(user=None)
    if b'SCRAM-SHA1' not in client.call(0x20).value.split():
        return 'not offered'
    first = 'n=Administrator,r=clientnonce'
    answer = client.call(0x21, b'SCRAM-SHA1', ('n,,' + first).encode())
    if answer.status != 0x21:
        return 'status %x' % answer.status
    server = answer.value.decode()
    fields = dict(part.split('=', 1) for part in server.split(','))
    if 'm' in fields:
        return 'extension'
    if not fields['r'].startswith('clientnonce'):
        return 'nonce'
    if not 0 < int(fields['i']) < 1000000:
        return 'iterations %s' % fields['i']
    salted = hashlib.pbkdf2_hmac('sha1', b'password', base64.b64decode(fields['s']), int(fields['i']))
    mac = lambda key, text: hmac.new(key, text, 'sha1').digest()
    key = mac(salted, b'Client Key')
    bare = 'c=biws,r=' + fields['r']
    auth = ','.join((first, server, bare)).encode()
    proof = bytes(a ^ b for a, b in zip(key, mac(hashlib.sha1(key).digest(), auth)))
    answer = client.call(0x22, b'SCRAM-SHA1', (bare + ',p=' + base64.b64encode(proof).decode()).encode())
    if answer.status != 0:
        return 'status %x' % answer.status
    if answer.value != b'v=' + base64.b64encode(mac(mac(salted, b'Server Key'), auth)):
        return 'signature %d' % len(answer.value)
    return None

@test
def spoilt_log_ins():
    with Cluster() as c:
        same(scram(c), None)
        for kind, wrong in (('no-signature', 'signature 0'), ('wrong-signature', 'signature 30'), ('foreign-nonce', 'nonce'),
                            ('no-iterations', 'iterations 0'), ('endless-iterations', 'iterations 2147483647'),
                            ('mandatory-extension', 'extension'), ('plain-only', 'not offered'), ('none', None)):
            c.switch('sasl', kind=kind)
            same(scram(c), wrong)
        c.refused('sasl', kind='odd')

@test
def passwords_change():
    with Cluster() as c:
        client = c.client()
        c.switch('password', user='Administrator', password='another')
        same(client.call(0x0a).status, 0)
        login = lambda text: c.client(user=None).call(0x21, b'PLAIN', b'\0Administrator\0' + text).status
        same((login(b'password'), login(b'another')), (0x20, 0))
        same(c.get('/pools')[0], 401)
        c.refused('password', user='nobody', password='x')
        c.refused('password', user='Administrator')

# ---------------------------------------------------------------- management service

@test
def management_faults():
    with Cluster() as c:
        c.switch('http', node=0, kind='status', status=500, count=2)
        same([c.get('/pools')[0] for _ in range(3)], [500, 500, 200])
        c.switch('http', node=0, kind='close')
        try:
            c.get('/pools')
            raise AssertionError('answered')
        except (http.client.RemoteDisconnected, ConnectionResetError):
            pass
        c.switch('http', node=0, kind='silent')
        try:
            c.get('/pools', timeout=0.3)
            raise AssertionError('answered')
        except TimeoutError:
            pass
        same(c.get('/pools')[0], 200)

# ---------------------------------------------------------------- maps

@test
def slow_rebalance():
    with Cluster(nodes=3) as c:
        for vb in range(0, 64, 16):
            same(c.client(active(c.config())[vb]).call(1, b'\0' + key_in(vb), b'1', bytes(8), vb=vb).status, 0)
        before = c.config()
        c.switch('rebalance', bucket='b', without=2, step_ms=3)
        first = c.config()
        same((first['rev'] > before['rev'], len(first['vBucketServerMap']['vBucketMapForward'])), (True, 64))
        same({row[0] for row in first['vBucketServerMap']['vBucketMapForward']}, {0, 1})
        same(c.switch('status')['buckets'][0]['rebalancing'], True)
        seen = []
        end = time.time() + 10
        while c.switch('status')['buckets'][0]['rebalancing'] and time.time() < end:
            seen.append(c.config())
        last = c.config()
        same((set(active(last)), 'vBucketMapForward' in last['vBucketServerMap']), ({0, 1}, False))
        changed = sum(x != y for x, y in zip(before['vBucketServerMap']['vBucketMap'], last['vBucketServerMap']['vBucketMap']))
        same(last['rev'] - before['rev'] in (changed + 1, changed + 2), True)
        same([r['rev'] for r in seen], sorted(r['rev'] for r in seen))
        for vb in range(0, 64, 16):
            same(c.client(active(last)[vb]).call(0, b'\0' + key_in(vb), vb=vb).status, 0)

@test
def fail_over_ends_a_rebalance():
    with Cluster(nodes=3) as c:
        c.switch('rebalance', bucket='b', without=2, step_ms=1000)
        c.switch('kill', node=1, failover=1)
        same(c.switch('status')['buckets'][0]['rebalancing'], False)
        same('vBucketMapForward' in c.config()['vBucketServerMap'], False)

@test
def nodes_are_added_and_removed():
    with Cluster(nodes=1) as c:
        client = c.client()
        same(client.set(key_in(3)).status, 0)
        new = c.switch('add')
        same(new['node'], 1)
        config = c.config()
        same((len(config['nodesExt']), len(config['nodes']), len(config['vBucketServerMap']['serverList'])), (2, 1, 1))
        same(config['nodesExt'][1]['services']['kv'], int(new['kv'].split(':')[1]))
        host, port = new['kv'].split(':')
        added = Client((host, int(port)))
        same(added.call(0, b'\0' + key_in(3), vb=3).status, 7)
        c.switch('rebalance', bucket='b')
        config = c.config()
        same((len(config['nodes']), set(active(config))), (2, {0, 1}))
        c.switch('remove', node=0)
        same(added.call(0, b'\0' + key_in(3), vb=3).status, 0)
        config = json.loads(added.call(0xb5).value)
        same((len(config['nodesExt']), set(active(config))), (1, {0}))
        c.switch('recreate', bucket='b')
        same(set(active(config_of(Client((host, int(port)))))), {0})
        c.refused('remove', node=1)
        c.refused('remove', node=0)
        same((client.closed(), added.closed()), (True, True))

@test
def vbucket_of_nobody():
    with Cluster() as c:
        c.switch('move', bucket='b', vbucket=5, to=-1)
        same(c.config()['vBucketServerMap']['vBucketMap'][5][0], -1)
        same([c.client(n).call(0, b'\0' + key_in(5), vb=5).status for n in (0, 1)], [7, 7])
        c.switch('move', bucket='b', vbucket=5, to=1)
        same([c.client(n).call(0, b'\0' + key_in(5), vb=5).status for n in (0, 1)], [7, 1])

@test
def two_hundred_nodes():
    with Cluster(nodes=200) as c:
        config = c.config()
        same((len(config['nodesExt']), sorted(set(active(config)))), (200, sorted({vb * 200 // 64 for vb in range(64)})))
        same(c.client(199).call(0x0a).status, 0)

# ---------------------------------------------------------------- configurations

@test
def lower_epoch_and_revision():
    with Cluster() as c:
        c.switch('revision', epoch=5, rev=1000)
        same(version(c.config()), (5, 1000))
        c.switch('revision', epoch=4, rev=2000)
        same(version(c.config()), (4, 2000))
        c.switch('revision', epoch=4, rev=10)
        same(version(c.config()), (4, 10))
        c.switch('revision')
        same(version(c.config()), (4, 11))
        c.refused('revision', epoch=0)

@test
def frozen_node():
    with Cluster() as c:
        client = c.client(features=NOTIFY)
        old = config_of(client)
        c.switch('freeze', node=0)
        c.switch('move', bucket='b', vbucket=0, to=1)
        same((config_of(client), c.config()['rev']), (old, old['rev']))
        refused = client.call(0, b'\0' + key_in(0), vb=0)
        same((refused.status, json.loads(refused.value)['rev']), (7, old['rev']))
        same(c.config(node=1)['rev'] > old['rev'], True)
        same(version(json.loads(c.get('/pools/default/nodeServices')[1]))[1] < c.config(node=1)['rev'], True)
        c.switch('thaw', node=0)
        same(version(config_of(client)), version(c.config(node=1)))

@test
def older_server():
    with Cluster() as c:
        known = struct.pack('>QQ', 1, 1)
        client = c.client(features=[0x08, 0x12, 0x1d])
        same(client.call(0xb5, ext=known).status, 0)
        c.switch('withhold', node=0, feature=0x1d)
        same(client.call(0xb5, ext=known).status, 4)
        same(client.call(0xb5).status, 0)
        hello = client.call(0x1f, value=struct.pack('>HHH', 0x08, 0x12, 0x1d)).value
        same(struct.unpack('>HH', hello), (0x08, 0x12))
        c.switch('withhold', node=0, feature=0)
        same(client.call(0xb5, ext=known).status, 0)
        c.refused('withhold', node=0)

@test
def any_configuration():
    with Cluster() as c:
        client = c.client()
        for text in ('{', 'null', '{"rev":1}', '{"vBucketServerMap":{"vBucketMap":[[99]]}}', 'x' * 100000):
            c.switch('config', body=text, bucket='b')
            same((client.call(0xb5).value.decode(), c.get('/pools/default/b/b')[1].decode()), (text, text))
            same(c.get('/pools/default/buckets/b')[0], 200)
        c.switch('config', bucket='b')
        same(len(active(c.config())), 64)
        c.refused('config', body='\0', bucket='b')
        c.refused('config', body='{}', bucket='none')

@test
def warm_up():
    with Cluster() as c:
        client = c.client()
        key = key_in(0)
        same(client.set(key).status, 0)
        for state, status in (('empty-map', 7), ('warming', 0x86), ('config-only', 0x0d), ('ready', 0)):
            c.switch('warmup', node=0, bucket='b', state=state)
            same(client.get(key).status, status)
            same(len(active(config_of(client))), 0 if state == 'empty-map' else 64)
            same(len(active(c.config(node=1))), 64)
            same(c.client().call(0x0a).status, 0)
        c.refused('warmup', node=0, bucket='b', state='odd')

@test
def bucket_is_recreated():
    with Cluster() as c:
        client = c.client()
        same(client.set(key_in(0)).status, 0)
        before = c.config()
        uuid = c.switch('recreate', bucket='b', vbuckets=128)['uuid']
        after = c.config()
        same((after['uuid'], after['uuid'] == before['uuid'], len(active(after))), (uuid, False, 128))
        same(client.closed(), True)
        same(after['rev'] > before['rev'], True)
        scopes = json.loads(c.get('/pools/default/buckets/b/scopes')[1])['scopes']
        same([[(k['name'], k['maxTTL']) for k in s['collections']] for s in scopes if s['name'] == 's'], [[('c', 0), ('short', 60)]])
        same(c.switch('status')['buckets'][0]['items'], 0)
        c.switch('recreate', bucket='b', collections=0)
        scopes = json.loads(c.get('/pools/default/buckets/b/scopes')[1])['scopes']
        same('s' in [s['name'] for s in scopes], False)
        c.switch('drop-bucket', bucket='b')
        same(c.get('/pools/default/b/b')[0], 404)
        c.refused('recreate', bucket='b')

@test
def memcached_bucket():
    with Cluster(buckets=[{'name': 'm', 'type': 'memcached'}]) as c:
        config = c.config(bucket='m')
        same((config['nodeLocator'], config['bucketType'], 'vBucketServerMap' in config), ('ketama', 'memcached', False))
        same(config_of(c.client(bucket='m'))['nodeLocator'], 'ketama')

# ---------------------------------------------------------------- addresses

@test
def external_network():
    with Cluster('--external', '127.0.0.1') as c:
        for config in (c.config(), config_of(c.client())):
            same([n['hostname'] for n in config['nodesExt']], ['node-0.cbcluster.invalid', 'node-1.cbcluster.invalid'])
            for node, kv in zip(config['nodesExt'], c.ready['kv']):
                external = node['alternateAddresses']['external']
                same((external['hostname'], external['ports']), ('127.0.0.1', node['services']))
                same(external['ports']['kv'], int(kv.split(':')[1]))
            same(config['vBucketServerMap']['serverList'][1], 'node-1.cbcluster.invalid:' + c.ready['kv'][1].split(':')[1])

@test
def addresses_change():
    with Cluster() as c:
        node = lambda: c.config()['nodesExt'][0]
        same(('hostname' in node(), 'alternateAddresses' in node()), (False, False))
        c.switch('hostname', node=0, name='db.example')
        c.switch('alternate', node=0, hostname='203.0.113.1', ports='none')
        c.switch('alternate', node=0, network='other', hostname='::1', ports='{"kv":1}')
        same(node()['hostname'], 'db.example')
        same(node()['alternateAddresses'], {'external': {'hostname': '203.0.113.1'}, 'other': {'hostname': '::1', 'ports': {'kv': 1}}})
        c.switch('alternate', node=0, hostname='')
        c.switch('hostname', node=0, name='')
        same(('hostname' in node(), list(node()['alternateAddresses'])), (False, ['other']))
        c.refused('alternate', node=0, hostname='x', ports='[1]')
        c.refused('hostname', node=0)

@test
def addresses_in_the_start_up_file():
    nodes = [{'hostname': '::1', 'alternates': {'external': {'hostname': 'a', 'ports': 'own'}}},
             {'data': False, 'alternates': {'external': {'hostname': 'b'}}}, {'alternates': {'n': {'hostname': 'c', 'ports': {'kvSSL': 7}}}}]
    with Cluster(nodes=nodes) as c:
        same((len(c.ready['kv']), len(c.ready['management']), c.ready['connection_string'].count(':')), (2, 3, 3))
        config = c.config()
        listed = config['nodesExt']
        same([sorted(n['services']) for n in listed], [['kv', 'mgmt', 'n1ql'], ['kv', 'mgmt', 'n1ql'], ['mgmt', 'n1ql']])
        same(config['vBucketServerMap']['serverList'][0].rsplit(':', 1)[0], '[::1]')
        same([n.get('alternateAddresses') for n in listed],
             [{'external': {'hostname': 'a', 'ports': listed[0]['services']}}, {'n': {'hostname': 'c', 'ports': {'kvSSL': 7}}},
              {'external': {'hostname': 'b'}}])
        same((len(config['nodes']), set(active(config))), (2, {0, 1}))
        same(c.config(node=1)['nodesExt'][2].get('thisNode'), True)

def main():
    failed = ran = 0
    for function in TESTS:
        if len(sys.argv) > 2 and sys.argv[2] not in function.__name__:
            continue
        ran += 1
        try:
            function()
        except Exception as e:
            failed += 1
            print('FAIL %s: %s: %s' % (function.__name__, type(e).__name__, e))
    print('fault_test: %d tests, %d failed' % (ran, failed))
    return 1 if failed or not ran else 0

if __name__ == '__main__':
    sys.exit(main())
