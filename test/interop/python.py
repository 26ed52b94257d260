"""The official Python SDK against the test cluster, and against foreign tables on the same documents.

usage: python.py CERTIFICATES [TEXT]   runs the checks whose title contains TEXT, one line each; status 0 if all passed

Runs beside a throw-away PostgreSQL and test cluster (test/run.sh).
"""
import datetime
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request

from couchbase import exceptions as errors
from couchbase import subdocument as SD
from couchbase.auth import CertificateAuthenticator, PasswordAuthenticator
from couchbase.cluster import Cluster
from couchbase.durability import Durability, ServerDurability
from couchbase.kv_range_scan import PrefixScan, RangeScan, SamplingScan, ScanTerm
from couchbase.management.collections import CreateCollectionSettings
from couchbase.mutation_state import MutationState
from couchbase.options import (ClusterOptions, ClusterTimeoutOptions, GetOptions, MutateInOptions,
                               RemoveOptions, ReplaceOptions, ScanOptions, UpsertOptions)
from couchbase.transcoder import RawBinaryTranscoder

CERTIFICATES = sys.argv[1]
SOON = ClusterTimeoutOptions(bootstrap_timeout=datetime.timedelta(seconds=10), kv_timeout=datetime.timedelta(seconds=10))
checks = []


def check(title):
    def add(function):
        checks.append((title, function))
        return function
    return add


def same(got, wanted):
    assert got == wanted, 'got %r, wanted %r' % (got, wanted)


def raises(error, function, *args, **named):
    try:
        got = function(*args, **named)
    except error:
        return
    raise AssertionError('%r instead of %s' % (got, error.__name__))


def file(name):
    return os.path.join(CERTIFICATES, name)


def control(switch):
    url = 'http://%s/%s' % (os.environ['CB_CONTROL'].split(',')[0], switch)
    with urllib.request.urlopen(urllib.request.Request(url, method='POST'), timeout=30) as answer:
        return json.load(answer)


def sql(text):
    done = subprocess.run(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1'], input=text, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Context:
    def __init__(self):
        self.string = os.environ['CB_CONNECTION_STRING'].split('?')[0]
        self.secure = 'couchbases://' + os.environ['CB_KVS']
        self.cluster = self.connect()
        self.collection = self.cluster.bucket('travel').scope('inventory').collection('airline')

    def connect(self, string=None, user='Administrator', password='password', **options):
        return Cluster(string or self.string,
                       ClusterOptions(PasswordAuthenticator(user, password, **options), timeout_options=SOON))


# ---- connecting ----

@check('a wrong password is refused')
def _(c):
    raises(errors.AuthenticationException, c.connect, password='wrong')


@check('ping and diagnostics')
def _(c):
    states = [endpoint.state.value for endpoint in c.cluster.bucket('travel').ping().endpoints.popitem()[1]]
    assert states and set(states) == {'ok'}, states
    same(c.cluster.diagnostics().state.value, 'online')


@check('TLS with a password, and by client certificate')
def _(c):
    cluster = c.connect(c.secure, cert_path=file('ca.pem'))
    same(cluster.bucket('travel').default_collection().upsert('py tls', 1).cas > 0, True)
    cluster.close()
    authenticator = CertificateAuthenticator(cert_path=file('client.pem'), key_path=file('client.key'),
                                             trust_store_path=file('ca.pem'))
    cluster = Cluster(c.secure, ClusterOptions(authenticator, timeout_options=SOON))
    same(cluster.bucket('travel').default_collection().get('py tls').content_as[int], 1)
    cluster.close()


@check('TLS with an unknown authority is refused')
def _(c):
    raises(errors.CouchbaseException, c.connect, c.secure, cert_path=file('other-ca.pem'))


@check('a user who may only read is refused writes')
def _(c):
    cluster = c.connect(user='reader', password='reader secret')
    collection = cluster.bucket('travel').scope('inventory').collection('airline')
    c.collection.upsert('py read', 1)
    same(collection.get('py read').content_as[int], 1)
    raises(errors.CouchbaseException, collection.upsert, 'py read', 2)
    cluster.close()


# ---- documents ----

@check('documents: every JSON value, exact CAS, insert once, replace and remove under CAS')
def _(c):
    value = {'text': 'naïve 日本 😀 \u0000"\\', 'n': [0, -1, 2 ** 53, 1.5, 1e300], 'no': None, 'o': {'deep': [[], {}]}}
    cas = c.collection.upsert('py doc', value).cas
    got = c.collection.get('py doc')
    same((got.content_as[dict], got.cas), (value, cas))
    raises(errors.DocumentExistsException, c.collection.insert, 'py doc', 1)
    newer = c.collection.replace('py doc', {'n': 2}, ReplaceOptions(cas=cas)).cas
    raises(errors.CasMismatchException, c.collection.replace, 'py doc', 3, ReplaceOptions(cas=cas))
    raises(errors.CasMismatchException, c.collection.remove, 'py doc', RemoveOptions(cas=cas))
    c.collection.remove('py doc', RemoveOptions(cas=newer))
    raises(errors.DocumentNotFoundException, c.collection.get, 'py doc')
    same(c.collection.exists('py doc').exists, False)


@check('documents: expiry set, read, kept, touched and passed')
def _(c):
    hour = datetime.timedelta(hours=1)
    expiry = lambda: c.collection.get('py ttl', GetOptions(with_expiry=True)).expiryTime
    c.collection.upsert('py ttl', 1, UpsertOptions(expiry=hour))
    first = expiry()
    assert first is not None
    c.collection.upsert('py ttl', 2, UpsertOptions(preserve_expiry=True))
    same(expiry(), first)
    c.collection.touch('py ttl', 2 * hour)
    assert expiry() > first
    c.collection.upsert('py ttl', 3)
    same(expiry(), None)
    c.collection.upsert('py soon', 1, UpsertOptions(expiry=datetime.timedelta(seconds=30)))
    control('clock?ms=31000')
    raises(errors.DocumentNotFoundException, c.collection.get, 'py soon')


@check('documents: locked, unlocked')
def _(c):
    c.collection.upsert('py lock', 1)
    held = c.collection.get_and_lock('py lock', datetime.timedelta(seconds=15))
    raises(errors.CouchbaseException, c.collection.upsert, 'py lock', 2,
           UpsertOptions(timeout=datetime.timedelta(milliseconds=500)))
    c.collection.unlock('py lock', held.cas)
    c.collection.upsert('py lock', 3)


@check('documents: counters and bytes')
def _(c):
    from couchbase.options import DecrementOptions, DeltaValue, IncrementOptions, SignedInt64
    binary = c.collection.binary()
    if c.collection.exists('py count').exists:
        c.collection.remove('py count')
    same(binary.increment('py count', IncrementOptions(initial=SignedInt64(5), delta=DeltaValue(3))).content, 5)
    same(binary.increment('py count', IncrementOptions(delta=DeltaValue(3))).content, 8)
    same(binary.decrement('py count', DecrementOptions(delta=DeltaValue(20))).content, 0)
    raw = RawBinaryTranscoder()
    c.collection.upsert('py bytes', b'\x00\xff', UpsertOptions(transcoder=raw))
    binary.append('py bytes', b'b')
    binary.prepend('py bytes', b'a')
    same(c.collection.get('py bytes', GetOptions(transcoder=raw)).value, b'a\x00\xffb')


@check('documents: multi-operations over all nodes')
def _(c):
    keys = ['py multi %d' % i for i in range(500)]
    assert c.collection.upsert_multi({key: {'n': i} for i, key in enumerate(keys)}).all_ok
    got = c.collection.get_multi(keys)
    same([got.results[key].content_as[dict]['n'] for key in keys], list(range(500)))


@check('durability: every level that one replica allows')
def _(c):
    for level in (Durability.MAJORITY, Durability.MAJORITY_AND_PERSIST_TO_ACTIVE, Durability.PERSIST_TO_MAJORITY):
        c.collection.upsert('py durable', level.value, UpsertOptions(durability=ServerDurability(level)))
    same(c.collection.get('py durable').content_as[int], Durability.PERSIST_TO_MAJORITY.value)


# ---- subdocument ----

@check('subdocument: look-ups, counts, missing paths')
def _(c):
    c.collection.upsert('py sub', {'a': {'b': [1, 2, {'c': 'x'}]}, 'odd.name': 1})
    got = c.collection.lookup_in('py sub', [SD.get('a.b[2].c'), SD.count('a.b'), SD.exists('nope'), SD.get('`odd.name`'),
                                            SD.get('a.b[-1].c')])
    same((got.content_as[str](0), got.content_as[int](1), got.exists(2), got.content_as[int](3), got.content_as[str](4)),
         ('x', 3, False, 1, 'x'))
    raises(errors.PathNotFoundException, lambda: c.collection.lookup_in('py sub', [SD.get('nope')]).content_as[str](0))


@check('subdocument: every mutation')
def _(c):
    c.collection.upsert('py mut', {'n': 1, 'list': [2], 'gone': 0, 'old': 'x'})
    c.collection.mutate_in('py mut', [
        SD.upsert('deep.er', 'y', create_parents=True), SD.replace('old', 'z'), SD.remove('gone'),
        SD.array_append('list', 3), SD.array_prepend('list', 1), SD.array_addunique('list', 9),
        SD.array_insert('list[1]', 'in'), SD.increment('n', 41), SD.insert('fresh', [None])])
    same(c.collection.get('py mut').content_as[dict],
         {'n': 42, 'list': [1, 'in', 2, 3, 9], 'old': 'z', 'deep': {'er': 'y'}, 'fresh': [None]})
    raises(errors.PathExistsException, c.collection.mutate_in, 'py mut', [SD.insert('n', 1)])


@check('subdocument: extended attributes and the virtual $document')
def _(c):
    c.collection.upsert('py xattr', {'n': 1})
    c.collection.mutate_in('py xattr', [SD.upsert('app.tag', 'mine', xattr=True, create_parents=True)])
    got = c.collection.lookup_in('py xattr', [SD.get('app.tag', xattr=True), SD.get('$document', xattr=True)])
    same(got.content_as[str](0), 'mine')
    assert {'CAS', 'exptime', 'seqno'} <= set(got.content_as[dict](1)), got.content_as[dict](1)
    same(c.collection.get('py xattr').content_as[dict], {'n': 1})


# ---- collections and scans ----

@check('collections: created, used and dropped')
def _(c):
    manager = c.cluster.bucket('travel').collections()
    manager.create_scope('py')
    manager.create_collection('py', 'made', CreateCollectionSettings())
    collection = c.cluster.bucket('travel').scope('py').collection('made')
    end = time.monotonic() + 10
    while True:
        try:
            collection.upsert('x', 1)
            break
        except errors.CouchbaseException:
            assert time.monotonic() < end
            time.sleep(0.1)
    assert 'made' in [x.name for s in manager.get_all_scopes() if s.name == 'py' for x in s.collections]
    manager.drop_scope('py')


@check('scans: range, prefix, sampling, own writes')
def _(c):
    keys = ['py scan %03d' % i for i in range(300)]
    written = [c.collection.upsert(key, {'k': key}) for key in keys]
    state = MutationState(*written)
    options = ScanOptions(consistent_with=state)
    found = sorted(x.id for x in c.collection.scan(PrefixScan('py scan '), options))
    same(found, keys)
    rows = c.collection.scan(RangeScan(ScanTerm('py scan 100'), ScanTerm('py scan 200', exclusive=True)), options)
    same(sorted(x.content_as[dict]['k'] for x in rows), keys[100:200])
    same(len([x for x in c.collection.scan(SamplingScan(10, seed=7), ScanOptions(ids_only=True))]), 10)


# ---- faults ----

@check('faults: temporary failures, closed connections and moved vBuckets are got over')
def _(c):
    keys = ['py fault %d' % i for i in range(200)]
    assert c.collection.upsert_multi({key: 1 for key in keys}).all_ok
    for switch in ('tmpfail?node=0&count=20', 'drop?node=0', 'rebalance?bucket=travel&without=1', 'rebalance?bucket=travel'):
        control(switch)
        got = c.collection.get_multi(keys)
        assert got.all_ok, (switch, got.exceptions)


@check('faults: a silent node is a timeout, and works again afterwards')
def _(c):
    c.collection.upsert('py silent', 1)
    soon = GetOptions(timeout=datetime.timedelta(milliseconds=500))
    control('pause?node=all')
    try:
        raises(errors.UnAmbiguousTimeoutException, c.collection.get, 'py silent', soon)
    finally:
        control('resume?node=all')
    same(c.collection.get('py silent').content_as[int], 1)


@check('faults: reads go on over a fail-over')
def _(c):
    keys = ['py over %d' % i for i in range(200)]
    assert c.collection.upsert_multi({key: 1 for key in keys}).all_ok
    control('kill?node=1&failover=1')
    end = time.monotonic() + 15
    while not c.collection.get_multi(keys).all_ok:
        assert time.monotonic() < end
    control('revive?node=1')
    while not c.collection.get_multi(keys).all_ok:
        assert time.monotonic() < end + 15


# ---- foreign tables ----

SETUP = """
CREATE EXTENSION IF NOT EXISTS cbconn_fdw;
CREATE SERVER cb FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string '%s', bucket 'travel', scope 'inventory');
CREATE USER MAPPING FOR PUBLIC SERVER cb OPTIONS (username 'Administrator', password 'password');
CREATE FOREIGN TABLE t (id text OPTIONS (key 'true'), name text, n numeric, lat float8 OPTIONS (path 'geo.lat'),
    tags text[], doc jsonb OPTIONS (document 'true'), until timestamptz OPTIONS (meta 'expiry')) SERVER cb
    OPTIONS (collection 'airline');
CREATE FOREIGN TABLE bin (id text OPTIONS (key 'true'), body bytea OPTIONS (document 'true')) SERVER cb
    OPTIONS (collection 'airline');
"""


@check('tables: what SQL wrote, the SDK reads')
def _(c):
    sql("""INSERT INTO t (id, name, n, lat, tags, until) VALUES
        ('py sql', E'naïve \\u65e5 😀', 9007199254740993, 47.5, '{a,"b c",NULL}', '2100-01-01 00:00:00+00')""")
    got = c.collection.get('py sql', GetOptions(with_expiry=True))
    same(got.content_as[dict], {'name': 'naïve 日 😀', 'n': 9007199254740993, 'geo': {'lat': 47.5},
                                'tags': ['a', 'b c', None]})
    same(got.expiryTime.replace(tzinfo=datetime.timezone.utc).year, 2100)
    sql("INSERT INTO bin VALUES ('py raw', '\\x00ff80')")
    same(c.collection.get('py raw', GetOptions(transcoder=RawBinaryTranscoder())).value, b'\x00\xff\x80')


@check('tables: what the SDK wrote, SQL reads, by key and by scan')
def _(c):
    documents = {'py back %d' % i: {'name': 'n%d' % i, 'n': i, 'geo': {'lat': i / 8}, 'tags': [str(i)], 'x': {'y': [i]}}
                 for i in range(400)}
    assert c.collection.upsert_multi(documents).all_ok
    same(sql("""SELECT count(*), sum(n), sum(lat), bool_and(name = 'n' || n AND tags = ARRAY[n::text] AND doc -> 'x' -> 'y' -> 0 = to_jsonb(n))
        FROM t WHERE id = ANY (ARRAY(SELECT 'py back ' || i FROM generate_series(0, 399) i))"""), '400|79800|9975|t')
    end = time.monotonic() + 10
    while sql("SELECT count(*) FROM t WHERE id LIKE 'py back %'") != '400':
        assert time.monotonic() < end, 'the scan misses documents'


@check('tables: UPDATE keeps what it does not map, and the expiry')
def _(c):
    c.collection.upsert('py upd', {'name': 'a', 'kept': {'deep': [1.50, None]}},
                        UpsertOptions(expiry=datetime.timedelta(hours=1)))
    c.collection.mutate_in('py upd', [SD.upsert('mine', 1, xattr=True)], MutateInOptions(preserve_expiry=True))
    before = c.collection.get('py upd', GetOptions(with_expiry=True)).expiryTime
    assert before is not None
    sql("UPDATE t SET name = 'b', lat = 1 WHERE id = 'py upd'")
    got = c.collection.get('py upd', GetOptions(with_expiry=True))
    same(got.content_as[dict], {'name': 'b', 'kept': {'deep': [1.5, None]}, 'geo': {'lat': 1}})
    same(got.expiryTime, before)
    same(c.collection.lookup_in('py upd', [SD.get('mine', xattr=True)]).content_as[int](0), 1)


@check('tables: one counter, raised by the SDK and by SQL at once, loses nothing')
def _(c):
    c.collection.upsert('py race', {'n': 0})

    def raise_it():
        for _ in range(200):
            c.collection.mutate_in('py race', [SD.increment('n', 1)])

    thread = threading.Thread(target=raise_it)
    thread.start()
    sql("""DO $$ DECLARE done int := 0; BEGIN
        WHILE done < 200 LOOP
            BEGIN UPDATE t SET n = n + 1 WHERE id = 'py race'; done := done + 1;
            EXCEPTION WHEN serialization_failure THEN NULL; END;
        END LOOP; END $$""")
    thread.join()
    same(c.collection.get('py race').content_as[dict], {'n': 400})


def main():
    only = sys.argv[2] if len(sys.argv) > 2 else ''
    context = Context()
    sql(SETUP % context.string)
    passed = failed = 0
    for title, function in checks:
        if only not in title:
            continue
        try:
            function(context)
            passed += 1
            print('ok   python', title, flush=True)
        except Exception as error:
            failed += 1
            print('FAIL python %s - %s: %s' % (title, type(error).__name__, error), flush=True)
    context.cluster.close()
    print('%d passed, %d failed' % (passed, failed))
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
