"""The extension against Couchbase's mock server (Java, com.couchbase.mock:CouchbaseMock), which nobody here wrote.

usage: mock.py JAR [TEXT]     runs the checks whose title contains TEXT, one line each; exit status 0 if all passed

Runs beside a throw-away PostgreSQL (test/run.sh --no-cluster). What the mock cannot do stands in ../README.md.
"""
import json
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

TIMEOUT = 60
checks = []


def check(title):
    def add(function):
        checks.append((title, function))
        return function
    return add


class Mock:
    """The mock server: it tells its port to a monitor socket, and ends when that is closed."""

    def __init__(self, jar, *args):
        listener = socket.create_server(('127.0.0.1', 0))
        listener.settimeout(TIMEOUT)
        self.process = subprocess.Popen(
            ['java', '-jar', jar, '--harakiri-monitor', '127.0.0.1:%d' % listener.getsockname()[1], '--port', '0',
             '--cccp', *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.monitor, _ = listener.accept()
            self.monitor.settimeout(TIMEOUT)
            text = b''
            while not text.endswith(b'\0'):
                text += self.monitor.recv(1)
            self.port = int(text[:-1])
        except BaseException:
            self.process.kill()
            raise

    def stop(self):
        self.monitor.close()
        self.process.kill()
        self.process.wait()

    def get(self, path, **query):
        url = 'http://127.0.0.1:%d/%s?%s' % (self.port, path, urllib.parse.urlencode(query))
        request = urllib.request.Request(url, headers={'Authorization': 'Basic QWRtaW5pc3RyYXRvcjpwYXNzd29yZA=='})
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return json.load(answer)

    def control(self, command, **payload):
        """A command of the mock's control interface, by HTTP."""
        answer = self.get('mock/' + command, **payload)
        assert answer['status'] == 'ok', answer

    def kv_ports(self, bucket):
        return [node['ports']['direct'] for node in self.get('pools/default/buckets/' + bucket)['nodes']]


def psql(sql):
    """Rows as the text of psql -At; errors as 'ERROR:  SQLSTATE: message' lines."""
    done = subprocess.run(['psql', '-XAtq', '-v', 'VERBOSITY=verbose'],
                          input=sql, capture_output=True, text=True, timeout=4 * TIMEOUT)
    return (done.stdout + done.stderr).strip()


class Session:
    """One psql, and so one backend, that is asked several times."""

    def __init__(self):
        self.process = subprocess.Popen(['psql', '-XAtq'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def ask(self, statement):
        self.process.stdin.write(statement + ';\n\\echo end\n')
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == 'end\n':
                return ''.join(lines).strip()
            lines.append(line)
        raise AssertionError('psql ended: ' + ''.join(lines))

    def close(self):
        self.process.stdin.close()
        self.process.wait(TIMEOUT)


def same(got, wanted):
    assert got == wanted, 'got %r, wanted %r' % (got, wanted)


def has(got, *texts):
    for text in texts:
        assert text in got, '%r lacks %r' % (got, text)


def attach(mock, server, bucket, *, user=None, password='', query='', tables=''):
    hosts = ','.join('127.0.0.1:%d=mcd' % port for port in mock.kv_ports(bucket))
    same(psql(f"""
        CREATE SERVER {server} FOREIGN DATA WRAPPER cbconn_fdw
            OPTIONS (connection_string 'couchbase://{hosts}{query}', bucket '{bucket}');
        CREATE USER MAPPING FOR PUBLIC SERVER {server} OPTIONS (username '{user or bucket}', password '{password}');
        CREATE FOREIGN TABLE {server} (id text OPTIONS (key 'true'), name text, n int,
            lat float8 OPTIONS (path 'geo.lat'), doc jsonb OPTIONS (document 'true'), cas bigint OPTIONS (meta 'cas'))
            SERVER {server};
        {tables}"""), '')


# ---- connecting ----

@check('connect: every SCRAM mechanism, the server signature checked')
def _(mock):
    for mechanism in ('SCRAM-SHA512', 'SCRAM-SHA256', 'SCRAM-SHA1'):
        psql('DROP SERVER IF EXISTS mech CASCADE')
        attach(mock, 'mech', 'locked', password='secret', query='?sasl_mech_force=' + mechanism)
        same(psql("SELECT count(*) FROM mech WHERE id = 'absent'"), '0')


@check('connect: PLAIN without TLS only when it is forced')
def _(mock):
    mock.control('set_sasl_mechanisms', mechs='["PLAIN"]')
    try:
        psql('DROP SERVER IF EXISTS plain CASCADE')
        attach(mock, 'plain', 'locked', password='secret', query='?sasl_mech_force=PLAIN')
        same(psql("SELECT count(*) FROM plain WHERE id = 'absent'"), '0')
        psql('DROP SERVER plain CASCADE')
        attach(mock, 'plain', 'locked', password='secret')
        has(psql("SELECT count(*) FROM plain WHERE id = 'absent'"), 'ERROR:  28')
    finally:
        mock.control('set_sasl_mechanisms', mechs='["PLAIN","SCRAM-SHA1","SCRAM-SHA256","SCRAM-SHA512"]')


@check('connect: a wrong password is told at once')
def _(mock):
    attach(mock, 'wrong', 'locked', password='guessed')
    start = time.monotonic()
    has(psql("SELECT * FROM wrong WHERE id = 'a'"), 'ERROR:  28', 'refused', 'failed')
    assert time.monotonic() - start < 10


@check('connect: a bucket of type memcached is refused')
def _(mock):
    psql(f"""
        CREATE SERVER cache FOREIGN DATA WRAPPER cbconn_fdw
            OPTIONS (connection_string 'couchbase://127.0.0.1:{mock.kv_ports('cache')[0]}=mcd', bucket 'cache');
        CREATE USER MAPPING FOR PUBLIC SERVER cache OPTIONS (username 'cache', password '');
        CREATE FOREIGN TABLE cache (id text OPTIONS (key 'true'), name text) SERVER cache""")
    has(psql("SELECT * FROM cache WHERE id = 'a'"), 'ERROR:  0A000')


@check('connect: one live host of several is enough')
def _(mock):
    port = mock.kv_ports('locked')[1]
    psql(f"""
        CREATE SERVER one FOREIGN DATA WRAPPER cbconn_fdw
            OPTIONS (connection_string 'couchbase://127.0.0.1:1=mcd,127.0.0.1:{port}=mcd', bucket 'locked');
        CREATE USER MAPPING FOR PUBLIC SERVER one OPTIONS (username 'locked', password 'secret');
        CREATE FOREIGN TABLE one (id text OPTIONS (key 'true'), name text) SERVER one""")
    same(psql("SELECT count(*) FROM one WHERE id = ANY (ARRAY(SELECT 'k' || i FROM generate_series(1, 100) i))"), '0')


@check('connect: cbconn_ping finds every node')
def _(mock):
    same(psql("SELECT count(*), bool_and(state = 'ok') FROM cbconn_ping('kv') WHERE service = 'kv'"), '4|t')


# ---- documents ----

@check('write: INSERT of 2,000 documents over four nodes, read back by key')
def _(mock):
    same(psql("""
        INSERT INTO kv (id, name, n, lat) SELECT 'doc:' || i, 'name ' || i, i, i / 4.0 FROM generate_series(1, 2000) i;
        SELECT count(*), count(cas), sum(n), sum(lat), bool_and(doc ->> 'name' = name) FROM kv
            WHERE id = ANY (ARRAY(SELECT 'doc:' || i FROM generate_series(1, 2100) i))"""),
         '2000|2000|2001000|500250|t')


@check('write: unicode, quotes and long values come back as they went')
def _(mock):
    same(psql(r"""
        CREATE TEMP TABLE nasty (k text, v text);
        INSERT INTO nasty VALUES ('ключ', E'\u00e9\U0001F600"\\/\n\t'), ('a b', repeat('ä', 100000)), ('q''"`', '');
        ANALYZE nasty;
        INSERT INTO kv (id, name) SELECT k, v FROM nasty;
        SELECT count(*) FROM nasty JOIN kv ON kv.id = nasty.k WHERE kv.name = nasty.v"""), '3')


@check('write: a key that exists is 23505, and ON CONFLICT DO NOTHING passes it over')
def _(mock):
    psql("INSERT INTO kv (id, name) VALUES ('twice', 'first')")
    has(psql("INSERT INTO kv (id, name) VALUES ('twice', 'second')"), 'ERROR:  23505', '"twice"')
    same(psql("""INSERT INTO kv (id, name) VALUES ('twice', 'third'), ('thrice', 'new') ON CONFLICT DO NOTHING
                 RETURNING id"""), 'thrice')
    same(psql("SELECT name FROM kv WHERE id = 'twice'"), 'first')


@check('write: COPY FROM')
def _(mock):
    rows = ''.join('copy:%d\tline %d\n' % (i, i) for i in range(3000))
    same(psql('COPY kv (id, name) FROM STDIN;\n' + rows + '\\.\n'
              "SELECT count(*) FROM kv WHERE id = ANY (ARRAY(SELECT 'copy:' || i FROM generate_series(0, 2999) i))"),
         '3000')


@check('write: DELETE under CAS tells what it deleted')
def _(mock):
    psql("INSERT INTO kv (id, n) SELECT 'del:' || i, i FROM generate_series(1, 500) i")
    same(psql("""WITH d AS (DELETE FROM kv WHERE id = ANY (ARRAY(SELECT 'del:' || i FROM generate_series(1, 600) i))
                     AND n % 2 = 0 RETURNING n) SELECT count(*), sum(n) FROM d"""), '250|62750')
    same(psql("SELECT count(*) FROM kv WHERE id = ANY (ARRAY(SELECT 'del:' || i FROM generate_series(1, 600) i))"),
         '250')


@check('write: a document changed meanwhile is 40001')
def _(mock):
    psql("INSERT INTO kv (id, n) VALUES ('race', 1)")
    has(psql("""
        BEGIN;
        DECLARE c CURSOR FOR SELECT id, cas FROM kv WHERE id = 'race';
        FETCH c;
        COMMIT;
        CREATE FUNCTION pg_temp.meddle() RETURNS bool LANGUAGE plpgsql AS $$
            BEGIN DELETE FROM kv WHERE id = 'race'; INSERT INTO kv (id, n) VALUES ('race', 2); RETURN true; END $$;
        DELETE FROM kv WHERE id = 'race' AND n = 1 AND pg_temp.meddle()"""), 'ERROR:  40001', '"race"')
    same(psql("SELECT n FROM kv WHERE id = 'race'"), '2')


@check('write: upsert by insert_mode')
def _(mock):
    psql("ALTER FOREIGN TABLE kv OPTIONS (ADD insert_mode 'upsert')")
    same(psql("""INSERT INTO kv (id, name) VALUES ('up', 'one'); INSERT INTO kv (id, name) VALUES ('up', 'two');
                 SELECT name FROM kv WHERE id = 'up'"""), 'two')
    psql("ALTER FOREIGN TABLE kv OPTIONS (DROP insert_mode)")


@check('write: an UPDATE that keeps the expiry is refused by name, as the mock lacks the feature')
def _(mock):
    psql("INSERT INTO kv (id, n) VALUES ('keeps', 1)")
    has(psql("UPDATE kv SET n = 2 WHERE id = 'keeps'"), 'ERROR:  0A000', 'PreserveTtl')
    same(psql("SELECT n FROM kv WHERE id = 'keeps'"), '1')


@check('read: a range scan is refused by name, as the mock has none')
def _(mock):
    has(psql('SELECT id FROM kv'), 'ERROR:  0A000')


# ---- faults ----

KEYS = "(SELECT 'doc:' || i FROM generate_series(1, 2000) i)"


def all_there():
    same(psql(f'SELECT count(*), sum(n) FROM kv WHERE id = ANY (ARRAY{KEYS})'), '2000|2001000')


@check('fault: temporary failures and busy answers are tried again')
def _(mock):
    for code in (0x86, 0x85):
        mock.control('opfail', code=code, count=50)
        all_there()
    mock.control('opfail', code=0, count=0)


@check('fault: not my vBucket fifty times over')
def _(mock):
    mock.control('opfail', code=7, count=50)
    all_there()
    mock.control('opfail', code=0, count=0)


@check('fault: a storm of temporary failures that does not end is an error within the deadline')
def _(mock):
    psql("ALTER SERVER kv OPTIONS (ADD kv_timeout '2s')")
    session = Session()
    try:
        same(session.ask("SELECT n FROM kv WHERE id = 'doc:1'"), '1')
        mock.control('opfail', code=0x86, count=-1)
        start = time.monotonic()
        has(session.ask("SELECT n FROM kv WHERE id = 'doc:1'"), 'ERROR:', 'TMPFAIL')
        assert 1 < time.monotonic() - start < 10
        mock.control('opfail', code=0, count=0)
        same(session.ask("SELECT n FROM kv WHERE id = 'doc:1'"), '1')
    finally:
        mock.control('opfail', code=0, count=0)
        session.close()
        psql('ALTER SERVER kv OPTIONS (DROP kv_timeout)')
    all_there()


@check('fault: answers that lose their first bytes are an error, not a wrong row')
def _(mock):
    mock.control('hiccup', msecs=50, offset=100)
    try:
        for _ in range(5):
            has(psql("SELECT n FROM kv WHERE id = 'doc:1'"), 'ERROR:  08')
    finally:
        mock.control('hiccup', msecs=0, offset=0)
    all_there()


@check('fault: a node fails over and comes back, under one session that reads all the while')
def _(mock):
    session = Session()
    for step in (None, 'failover', 'respawn'):
        if step:
            mock.control(step, idx=2, bucket='locked')
        for _ in range(3):
            same(session.ask(f'SELECT count(*) FROM kv WHERE id = ANY (ARRAY{KEYS})'), '2000')
    session.close()


@check('fault: writes after a fail-over reach the nodes that are left')
def _(mock):
    mock.control('failover', idx=1, bucket='locked')
    same(psql("""
        INSERT INTO kv (id, n) SELECT 'over:' || i, i FROM generate_series(1, 1000) i;
        SELECT count(*) FROM kv WHERE id = ANY (ARRAY(SELECT 'over:' || i FROM generate_series(1, 1000) i))"""), '1000')
    mock.control('respawn', idx=1, bucket='locked')


@check('fault: expired documents are gone')
def _(mock):
    same(psql("""
        CREATE FOREIGN TABLE fleeting (id text OPTIONS (key 'true'), n int,
            until timestamptz OPTIONS (meta 'expiry')) SERVER kv;
        INSERT INTO fleeting (id, n, until) VALUES ('soon', 1, now() + '1 hour'), ('late', 2, now() + '90 days');
        SELECT count(*) FROM kv WHERE id IN ('soon', 'late')"""), '2')
    mock.control('time_travel', Offset=7200)
    same(psql("SELECT string_agg(id, ',') FROM kv WHERE id IN ('soon', 'late')"), 'late')


def main():
    only = sys.argv[2] if len(sys.argv) > 2 else ''
    mock = Mock(sys.argv[1], '--nodes', '4', '--replicas', '3', '--buckets', 'locked:secret,cache::memcache')
    passed = failed = 0
    try:
        psql('CREATE EXTENSION IF NOT EXISTS cbconn_fdw')
        attach(mock, 'kv', 'locked', password='secret')
        for title, function in checks:
            if only not in title:
                continue
            try:
                function(mock)
                passed += 1
                print('ok   mock', title, flush=True)
            except Exception as error:
                failed += 1
                print('FAIL mock', title, '-', error, flush=True)
    finally:
        mock.stop()
    print('%d passed, %d failed' % (passed, failed))
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
