#!/usr/bin/env python3
"""Tests the query service of the test cluster beyond the recorded statements: the layout of answers, streams, stops,
consistency, rights, indexes, prepared statements, administration, faults.

usage: query_test.py CBCLUSTER [TEXT]     runs the tests whose name contains TEXT; exit status 1 if any fails
"""
import base64
import http.client
import json
import re
import socket
import sys
import tempfile
import time
import traceback

from cluster_process import ClusterProcess

BINARY = sys.argv[1] if len(sys.argv) > 1 else ""
ADMIN = ("Administrator", "password")
CONFIG = {
    "nodes": [{}, {}, {"query": False}],
    "buckets": [{"name": "b", "vbuckets": 64, "replicas": 0, "scopes": {"s": {"collections": {"c": {}, "d": {}}}}}],
    "users": [{"name": "Administrator", "password": "password", "roles": ["admin"]},
              {"name": "reader", "password": "pw", "roles": ["query_select[b:s:c]"]},
              {"name": "scanner", "password": "pw",
               "roles": ["query_select[b:s:c]", "query_use_sequential_scans[b]"]},
              {"name": "stranger", "password": "pw", "roles": ["data_reader[b]"]}],
}
ENDLESS = "SELECT COUNT(*) FROM ARRAY_RANGE(0,3000) a UNNEST ARRAY_RANGE(0,3000) b UNNEST ARRAY_RANGE(0,1000) c"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def same(actual, expected):
    if actual != expected:
        raise AssertionError(f"got {actual!r}, expected {expected!r}")


class Cluster(ClusterProcess):
    def __init__(self, *args, config=None, **settings):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as documents:
            documents.writelines('{"key":"k%d","doc":{"n":%d,"t":"x"}}\n' % (i, i) for i in range(50))
            documents.flush()
            super().__init__("--load", "b.s.c=" + documents.name, *args, config=dict(config or CONFIG, **settings))

    def ask(self, method, path, body=None, user=ADMIN, node=0, timeout=30, where="query"):
        """Status, headers, text."""
        link = http.client.HTTPConnection(self.ready[where][node], timeout=timeout)
        headers = {"Content-Type": "application/json"}
        if user is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(user).encode()).decode()
        link.request(method, path, body, headers)
        answer = link.getresponse()
        text = answer.read().decode()
        link.close()
        return answer.status, answer.headers, text

    def query(self, statement, user=ADMIN, node=0, timeout=30, **params):
        """HTTP status and the answer as an object."""
        params.setdefault("query_context", "default:b.s")
        status, _, text = self.ask("POST", "/query/service", json.dumps(dict(params, statement=statement)), user, node,
                                   timeout)
        return status, json.loads(text)

    def rows(self, statement, **params):
        status, answer = self.query(statement, **params)
        same((status, answer["status"], answer.get("errors")), (200, "success", None))
        return answer["results"]

    def code(self, statement, **params):
        """HTTP status and code of the first error."""
        status, answer = self.query(statement, **params)
        return status, answer["errors"][0]["code"]

    def stream(self, statement, node=0, **params):
        """A link on which a statement was sent; nothing has been read."""
        host, port = self.ready["query"][node].split(":")
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        link.settimeout(30)
        link.connect((host, int(port)))
        body = json.dumps(dict({"query_context": "default:b.s"}, statement=statement, **params)).encode()
        token = base64.b64encode(":".join(ADMIN).encode()).decode()
        link.sendall(b"POST /query/service HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     b"Authorization: Basic %s\r\nContent-Length: %d\r\n\r\n%s" % (token.encode(), len(body), body))
        return link

    def control(self, switch):
        link = http.client.HTTPConnection(self.ready["control"][0], timeout=10)
        link.request("POST", "/" + switch)
        answer = json.loads(link.getresponse().read())
        link.close()
        return answer

    def active(self, node=0):
        return json.loads(self.ask("GET", "/admin/active_requests", node=node)[2])

    def wait_active(self, count, seconds=10):
        end = time.time() + seconds
        while len(self.active()) != count:
            if time.time() > end:
                raise AssertionError(f"{len(self.active())} requests are active, expected {count}")
            time.sleep(0.02)

    def memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


# ---------------------------------------------------------------- answers

@test
def layout():
    with Cluster() as c:
        status, headers, text = c.ask("POST", "/query/service", json.dumps(
            {"statement": "SELECT 1 AS a, 2/0 AS b", "client_context_id": "me", "pretty": False}))
        same(status, 200)
        same(headers["Content-Type"].startswith("application/json; version="), True)
        same(re.findall(r'^"(\w+)"', text, re.M),
             ["requestID", "clientContextID", "signature", "results", "warnings", "status", "metrics"])
        answer = json.loads(text)
        same(answer["signature"], {"a": "number", "b": "json"})
        same(answer["results"], [{"a": 1, "b": None}])
        same(answer["metrics"]["resultCount"], 1)
        same(answer["metrics"]["resultSize"], len('{"a":1,"b":null}'))
        same(answer["metrics"]["warningCount"], 1)
        for member in ("signature", "metrics"):
            same(member in c.query("SELECT 1", **{member: False})[1], False)
        text = c.ask("POST", "/query/service", json.dumps({"statement": "SELECT [1,{}] AS a", "pretty": True}))[2]
        same(text.count("\n") > 10, True)
        same(json.loads(text)["results"], [{"a": [1, {}]}])


@test
def whole_or_chunked():
    with Cluster() as c:
        for size, length in ((1000, True), (30000, False)):
            _, headers, _ = c.ask("POST", "/query/service", json.dumps({"statement": f'SELECT RAW REPEAT("x",{size})'}))
            same("Content-Length" in headers, length)
            same(headers.get("Transfer-Encoding") == "chunked", not length)


@test
def keyspaces():
    with Cluster() as c:
        same(c.rows("SELECT RAW SPLIT(DS_VERSION(), '.')[0] || SPLIT(VERSION(), '-')[1]"), ["7N1QL"])
        same(c.rows("SELECT RAW COUNT(*) FROM c"), [50])
        same(c.rows("SELECT RAW COUNT(*) FROM b.s.c", query_context=""), [50])
        same(c.rows("SELECT RAW COUNT(*) FROM default:b.s.c", query_context=""), [50])
        same(c.rows("SELECT RAW COUNT(*) FROM c", query_context="default:`b`.`s`"), [50])
        same(c.rows("SELECT RAW COUNT(*) FROM b", query_context=""), [0])
        same(c.code("SELECT 1 FROM nope"), (424, 12003))
        same(c.code("SELECT 1 FROM b.nope.c"), (500, 12021))
        same(c.code("SELECT 1 FROM nope.s.c"), (424, 12003))
        same("results" in c.query("SELECT 1 FROM nope")[1], False)
        meta = c.rows('SELECT RAW META(t) FROM c t USE KEYS "k7"')[0]
        same((meta["id"], meta["type"], meta["keyspace"], meta["flags"], meta["expiration"]),
             ("k7", "json", "default:b.s.c", 33554438, 0))
        same(meta["cas"] > 2**53, True)
        same(sorted(r["name"] for r in c.rows("SELECT RAW k FROM system:keyspaces k")), ["b", "c", "d"])


@test
def published():
    with Cluster() as c:
        nodes = json.loads(c.ask("GET", "/pools/default/nodeServices", where="management")[2])["nodesExt"]
        same([n["services"].get("n1ql") for n in nodes], [int(a.split(":")[1]) for a in c.ready["query"]] + [None])
        same(len(c.ready["query"]), 2)
        same(c.rows("SELECT RAW 1", node=1), [1])
    with Cluster("--no-query") as c:
        same(c.ready["query"], [])


# ---------------------------------------------------------------- streams and stops

@test
def bounded_memory():
    with Cluster() as c:
        c.rows("SELECT RAW 1")
        link = c.stream('SELECT a, b, REPEAT("x", 100) AS s FROM ARRAY_RANGE(0,3000) a UNNEST ARRAY_RANGE(0,2000) b')
        link.recv(4096)
        time.sleep(0.5)
        before = c.memory()
        got = 0
        while got < 60_000_000:
            got += len(link.recv(1 << 20))
        after = c.memory()
        same(after - before < (400_000 if "asan" in BINARY else 20_000), True)    # freed memory is kept for a while there
        same(len(c.active()), 1)
        link.close()
        c.wait_active(0)


@test
def best_rows():
    with Cluster("--generate", "b.s.d=20000:400") as c:
        for order in ("d.quantity, d.id", "d.name DESC, d.id DESC", "d.active, d.price"):
            every = c.rows(f"SELECT d.id, d.name FROM d ORDER BY {order}")
            same(len(every), 20000)
            for limit, offset in ((10, 0), (700, 300), (0, 5), (3, 19999)):
                same(c.rows(f"SELECT d.id, d.name FROM d ORDER BY {order} LIMIT {limit} OFFSET {offset}"),
                     every[offset:offset + limit])


@test
def others_go_on():
    with Cluster() as c:
        link = c.stream(ENDLESS)
        c.wait_active(1)
        start = time.time()
        same(c.rows("SELECT RAW 2"), [2])
        same(time.time() - start < 5, True)
        link.close()
        c.wait_active(0)


@test
def time_is_up():
    with Cluster() as c:
        start = time.time()
        status, _, text = c.ask("POST", "/query/service", json.dumps({"statement": ENDLESS, "timeout": "200ms"}))
        answer = json.loads(text)
        same((status, answer["status"], answer["errors"]),
             (200, "fatal", [{"code": 1080, "msg": "Timeout 200ms exceeded", "retry": True}]))
        same(0.2 <= time.time() - start < 5, True)


@test
def cancelled():
    with Cluster() as c:
        link = c.stream(ENDLESS, client_context_id="pg-1")
        c.wait_active(1)
        request = c.active()[0]
        same((request["clientContextID"], request["statement"]), ("pg-1", ENDLESS))
        same(c.ask("DELETE", "/admin/active_requests/" + request["requestId"])[0], 200)
        answer = http.client.HTTPResponse(link)
        answer.begin()
        text = json.loads(answer.read())
        same((answer.status, text["status"], "errors" in text), (200, "stopped", False))
        c.wait_active(0)
        same(c.ask("DELETE", "/admin/active_requests/" + request["requestId"])[0], 500)
        link.close()


@test
def cancelled_by_statement():
    with Cluster() as c:
        link = c.stream(ENDLESS, client_context_id="pg-2")
        c.wait_active(1)
        found = c.rows('SELECT RAW r.requestId FROM system:active_requests r WHERE r.clientContextID = "pg-2"')
        same(len(found), 1)
        same(c.ask("DELETE", "/admin/active_requests/" + found[0])[0], 200)
        c.wait_active(0)
        link.close()


@test
def slow_client():
    with Cluster(slow_client_ms=300) as c:
        link = c.stream('SELECT REPEAT("x", 1000) AS s FROM ARRAY_RANGE(0,100000) a')
        time.sleep(0.1)
        c.wait_active(0)
        text = b""
        try:
            while (part := link.recv(1 << 20)):
                text += part
        except ConnectionResetError:
            pass
        same(b'"status"' in text, False)
        link.close()


# ---------------------------------------------------------------- consistency

def kv_set(cluster, key, value):
    """Writes a document of b._default._default over the data port; its vBucket, uuid and sequence number."""
    import struct
    import zlib
    vbucket = (zlib.crc32(key) >> 16) % 64
    for address in cluster.ready["kv"]:
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as link, link.makefile("rb") as answers:
            def ask(opcode, key=b"", value=b"", extras=b"", vbucket=0):
                size = len(key) + len(value) + len(extras)
                link.sendall(struct.pack(">BBHBBHIIQ", 0x80, opcode, len(key), len(extras), 0, vbucket, size, 0, 0) +
                             extras + key + value)
                head = struct.unpack(">BBHBBHIIQ", answers.read(24))
                return head[5], answers.read(head[6])

            ask(0x1F, b"test", b"\x00\x04\x00\x0b")
            ask(0x21, b"PLAIN", b"\0" + "\0".join(ADMIN).encode())
            ask(0x89, b"b")
            status, body = ask(0x01, key, value, b"\0" * 8, vbucket)
            if status == 0:
                uuid, seqno = struct.unpack(">QQ", body)
                return vbucket, str(uuid), seqno
    raise AssertionError("no node took the document")


@test
def consistency():
    with Cluster(flush_ms=700) as c:
        count = "SELECT RAW COUNT(1) FROM b t WHERE t.n = 1"
        kv_set(c, b"one", b'{"n":1}')
        same(c.rows(count, query_context=""), [0])
        same(c.rows(count, query_context="", scan_consistency="request_plus"), [1])
        vbucket, uuid, seqno = kv_set(c, b"two", b'{"n":1}')
        same(c.rows(count, query_context=""), [1])
        same(c.rows(count, query_context="", scan_consistency="at_plus",
                    scan_vectors={"b": {str(vbucket): [seqno, uuid]}}), [2])
        same(c.code(count, scan_consistency="at_plus"), (400, 1050))
        same(c.code(count, scan_consistency="at_plus", scan_vectors={"b": [[1, "x"]]}), (400, 1070))
        same(c.code(count, scan_consistency="at_plus", scan_vectors={"b": {"1": 5}}), (400, 1070))


# ---------------------------------------------------------------- rights

@test
def rights():
    with Cluster() as c:
        same(c.code("SELECT 1", user=("reader", "wrong")), (401, 2120))
        same(c.code("SELECT 1", user=None), (401, 2120))
        status, answer = c.query("SELECT 1 FROM c", user=("stranger", "pw"))
        error = answer["errors"][0]
        same((status, error["code"], error["reason"], answer["results"]),
             (401, 13014, {"missing_role": "query_select", "path": "default:b.s.c"}, []))
        same(c.code("SELECT 1 FROM d", user=("reader", "pw")), (401, 13014))
        same(c.code("SELECT 1 WHERE EXISTS (SELECT 1 FROM d)", user=("reader", "pw")), (401, 13014))
        same(c.code("SELECT 1 FROM c", user=("reader", "pw")), (404, 4000))
        same(c.rows('SELECT RAW n FROM c USE KEYS "k3"', user=("reader", "pw")), [3])
        same(c.rows("SELECT RAW COUNT(*) FROM c", user=("scanner", "pw")), [50])
        same(c.code("CREATE PRIMARY INDEX ON c", user=("reader", "pw")), (401, 13014))
        same(c.rows("CREATE PRIMARY INDEX ON c"), [])
        same(c.rows("SELECT RAW COUNT(*) FROM c", user=("reader", "pw")), [50])
        same(c.code("CREATE PRIMARY INDEX ON c"), (409, 4300))
        same(c.rows("SELECT RAW i.name FROM system:indexes i"), ["#primary"])
        same(c.rows("DROP PRIMARY INDEX ON c"), [])
        same(c.code("SELECT 1 FROM c", user=("reader", "pw")), (404, 4000))
        same(c.ask("GET", "/admin/active_requests", user=("reader", "pw"))[0], 401)
        same(c.ask("GET", "/admin/ping", user=None)[0], 200)


# ---------------------------------------------------------------- prepared statements

@test
def prepared():
    with Cluster() as c:
        row = c.rows("PREPARE p FROM SELECT RAW n FROM c WHERE n = $n")[0]
        same(row["name"], "p")
        same(c.rows("EXECUTE p", **{"$n": 4}), [4])
        same(c.rows('EXECUTE p USING {"n": 6}'), [6])
        status, _, text = c.ask("POST", "/query/service", json.dumps(
            {"prepared": "p", "$n": 5, "query_context": "default:b.s"}), node=1)
        same((status, json.loads(text)["results"]), (200, [5]))
        same([p["name"] for p in json.loads(c.ask("GET", "/admin/prepareds")[2])], ["p"])
        answer = c.query("PREPARE SELECT RAW n FROM c WHERE n = $1", auto_execute=True, args=[8])[1]
        same(answer["results"], [8])
        same(c.rows("EXECUTE `" + answer["prepared"] + "`", args=[9]), [9])
        same(c.ask("DELETE", "/admin/prepareds/p")[0], 200)
        same(c.code("EXECUTE p"), (404, 4040))


# ---------------------------------------------------------------- plans

def operators(plan):
    """Names of the operators of a plan, depth first."""
    names = [plan["#operator"]]
    for child in plan.get("~children", []) + ([plan["~child"]] if "~child" in plan else []):
        names += operators(child)
    return names


@test
def explain():
    with Cluster() as c:
        def plan(statement, **params):
            row = c.rows("EXPLAIN " + statement, **params)[0]
            same(row["text"], statement)
            same(row["plan"]["#operator"], "Sequence")
            return operators(row["plan"])[1:]

        same(plan("SELECT n FROM c WHERE n > $p ORDER BY n DESC LIMIT 3"),
             ["PrimaryScan3", "Fetch", "Filter", "InitialProject", "Order", "Limit"])
        same(plan('SELECT RAW c FROM c USE KEYS "k1"'), ["KeyScan", "Fetch", "InitialProject"])
        same(plan("SELECT t, COUNT(*) FROM c GROUP BY t HAVING COUNT(*) > 1"),
             ["PrimaryScan3", "Fetch", "InitialGroup", "IntermediateGroup", "FinalGroup", "Filter", "InitialProject"])
        same(plan("SELECT 1 FROM c JOIN d ON META(d).id = c.t"), ["PrimaryScan3", "Fetch", "Join", "InitialProject"])
        same(plan("SELECT 1 FROM c JOIN d ON d.n = c.n"),
             ["PrimaryScan3", "Fetch", "HashJoin", "Sequence", "PrimaryScan3", "Fetch", "InitialProject"])
        same(plan("SELECT 1 FROM c LEFT JOIN d ON d.n < c.n UNNEST c.a x"),
             ["PrimaryScan3", "Fetch", "NestedLoopJoin", "Sequence", "PrimaryScan3", "Fetch", "Unnest", "InitialProject"])
        same(plan("SELECT DISTINCT 1 UNION SELECT 2"),
             ["UnionAll", "Sequence", "DummyScan", "InitialProject", "Distinct", "Sequence", "DummyScan", "InitialProject",
              "Distinct"])
        scan = c.rows("EXPLAIN SELECT 1 FROM c")[0]["plan"]["~children"][0]
        same((scan["index"], scan["using"], scan["bucket"], scan["scope"], scan["keyspace"]),
             ("#sequentialscan", "sequentialscan", "b", "s", "c"))
        same(c.code("EXPLAIN SELECT 1 FROM nope"), (424, 12003))


# ---------------------------------------------------------------- refusals, faults

@test
def refusals():
    with Cluster() as c:
        for statement in ('INSERT INTO c (KEY, VALUE) VALUES ("x", {})', "DELETE FROM c", "UPDATE c SET n = 1"):
            same(c.code(statement), (500, 5000))
            same(c.code(statement, readonly=True), (403, 1000))
        same(c.code("ADVISE SELECT 1")[0], 400)
        link = http.client.HTTPConnection(c.ready["query"][0], timeout=10)
        link.request("GET", "/query/service?statement=DELETE%20FROM%20b", headers={
            "Authorization": "Basic " + base64.b64encode(":".join(ADMIN).encode()).decode()})
        same(link.getresponse().status, 403)
        link.close()
        same(c.ask("GET", "/nope")[0], 404)


@test
def faults():
    with Cluster() as c:
        same(c.control("query?node=0&kind=error&code=1181&msg=Service+shut+down&status=503")["ok"], True)
        same(c.code("SELECT 1"), (503, 1181))
        same(c.rows("SELECT RAW 1"), [1])
        c.control("query?node=0&kind=late-error&code=5000&msg=late")
        answer = c.query("SELECT RAW 1")[1]
        same((answer["results"], answer["status"], answer["errors"][0]["msg"]), ([1], "fatal", "late"))
        c.control("query?node=0&kind=status&status=502")
        same(c.ask("POST", "/query/service", "{}")[0], 502)
        for kind in ("close", "reset", "cut&after=20", "cut&after=40000"):
            c.control("query?node=0&kind=" + kind)
            try:
                c.query('SELECT REPEAT("x",1000) AS s FROM ARRAY_RANGE(0,1000) a')
                raise AssertionError("the answer was whole")
            except (ConnectionError, http.client.HTTPException):
                pass
        c.control("query?node=0&kind=delay&ms=300")
        start = time.time()
        same(c.rows("SELECT RAW 1"), [1])
        same(time.time() - start >= 0.3, True)
        c.control("query?node=0&kind=silent&count=-1")
        try:
            c.query("SELECT 1", timeout=0.5)
            raise AssertionError("there was an answer")
        except TimeoutError:
            pass
        c.control("clear?node=0")
        same(c.rows("SELECT RAW 1"), [1])
        same(c.rows("SELECT RAW 1", node=1), [1])
        same(c.control("query?node=2&kind=close")["error"], "node 2 has no query service")


@test
def nodes_that_die():
    with Cluster() as c:
        link = c.stream(ENDLESS)
        c.wait_active(1)
        c.control("kill?node=0")
        same(link.recv(100), b"")
        try:
            c.query("SELECT 1")
            raise AssertionError("a dead node answered")
        except ConnectionError:
            pass
        same(c.rows("SELECT RAW 1", node=1), [1])
        c.control("revive?node=0")
        same(c.rows("SELECT RAW 1"), [1])
        c.control("pause?node=0")
        link = c.stream("SELECT RAW 7")
        time.sleep(0.2)
        c.control("resume?node=0")
        same(b"7" in link.recv(4096), True)
        link.close()
        link = c.stream('SELECT REPEAT("x", 100) AS s FROM ARRAY_RANGE(0,1000000) a')
        link.recv(1000)
        c.control("pause?node=0")
        link.settimeout(0.5)
        try:
            while True:
                same(link.recv(1 << 20) != b"", True)
        except TimeoutError:
            pass
        c.control("resume?node=0")
        same(link.recv(1 << 20) != b"", True)
        link.close()


@test
def what_is_dropped_meanwhile():
    with Cluster("--generate", "b.s.d=20000:400") as c:
        link = c.stream("SELECT RAW d FROM d")
        link.recv(1000)
        c.control("drop-bucket?bucket=b")
        text = b""
        while b'"status"' not in text[-2000:]:
            part = link.recv(1 << 20)
            if part == b"":
                break
            text += part
        same(b'"status"' in text[-2000:], True)
        link.close()


def main():
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    passed = failed = 0
    for function in TESTS:
        if wanted not in function.__name__:
            continue
        try:
            function()
            passed += 1
        except Exception:                       # one failure must not hide the others
            failed += 1
            print(f"FAILED {function.__name__}: {traceback.format_exc(limit=-2)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
