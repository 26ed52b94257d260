#!/usr/bin/env python3
"""Tests what the test cluster does besides the data protocol: command line, start-up file, loading, management
service, control port.

usage: manage_test.py CBCLUSTER [TEXT]     runs the tests whose name contains TEXT; exit status 1 if any fails
"""
import base64
import http.client
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from cluster_process import ClusterProcess

BINARY = sys.argv[1] if len(sys.argv) > 1 else ""
ADMIN = ("Administrator", "password")
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def same(actual, expected):
    if actual != expected:
        raise AssertionError(f"got {actual!r}, expected {expected!r}")


class Cluster(ClusterProcess):
    def http(self, method, path, user=ADMIN, form=None, node=0, timeout=10):
        """Status, headers and body, parsed if it is JSON."""
        connection = http.client.HTTPConnection(self.ready["management"][node], timeout=timeout)
        headers = {}
        if user is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(user).encode()).decode()
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body=form, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if (answer.getheader("Content-Type") or "").startswith("application/json"):
            body = json.loads(body)
        return answer.status, answer.headers, body

    def control(self, switch):
        return self.post(switch)

    def items(self, bucket):
        return self.http("GET", f"/pools/default/buckets/{bucket}")[2]["basicStats"]["itemCount"]

    def stream(self, path, node=0):
        """A connection that has asked for a streamed answer, and its file of what comes."""
        host, port = self.ready["management"][node].split(":")
        link = socket.create_connection((host, int(port)), timeout=10)
        token = base64.b64encode(":".join(ADMIN).encode()).decode()
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {token}\r\n\r\n".encode())
        answer = http.client.HTTPResponse(link)
        answer.begin()
        return link, answer


def kv_values(cluster, keys):
    """Values and datatypes of documents of the default collection, from whichever node has them."""
    found = {}
    for address in cluster.ready["kv"]:
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as link, link.makefile("rb") as answers:
            def ask(opcode, key=b"", value=b"", vbucket=0):
                size = len(key) + len(value)
                link.sendall(struct.pack(">BBHBBHIIQ", 0x80, opcode, len(key), 0, 0, vbucket, size, 0, 0) + key + value)
                head = struct.unpack(">BBHBBHIIQ", answers.read(24))
                body = answers.read(head[6])
                return head[5], head[4], body[head[2] + head[3]:]

            same(ask(0x1F, b"test", b"\x00\x0b")[0], 0)
            same(ask(0x21, b"PLAIN", b"\0" + "\0".join(ADMIN).encode())[0], 0)
            same(ask(0x89, b"default")[0], 0)
            for key in keys:
                status, datatype, value = ask(0x00, key, vbucket=(zlib.crc32(key) >> 16) % 1024)
                if status == 0:
                    found[key] = (datatype, value)
    return found


def next_part(answer):
    """The next JSON text of a stream; four line ends part them."""
    text = b""
    while not text.endswith(b"\n\n\n\n"):
        byte = answer.read(1)
        if byte == b"":
            return None
        text += byte
    return json.loads(text)


def refused(*args):
    """Runs cbcluster with arguments it must refuse; what it printed."""
    done = subprocess.run([BINARY] + list(args), capture_output=True, timeout=10, check=False)
    if done.returncode not in (1, 2):
        raise AssertionError(f"{args}: exit status {done.returncode}")
    return done.stderr.decode()


# ---------------------------------------------------------------- command line

@test
def defaults():
    with Cluster() as c:
        same(sorted(c.ready), ["connection_string", "control", "kv", "kvs", "management", "management_tls", "query",
                               "query_tls"])
        same([len(c.ready[k]) for k in ("kv", "kvs", "management", "management_tls", "query", "query_tls", "control")],
             [2, 0, 2, 0, 2, 0, 1])
        same(c.ready["connection_string"], "couchbase://" + ",".join(c.ready["kv"]))
        same(c.http("GET", "/pools/default")[2]["bucketNames"][0]["bucketName"], "default")


@test
def nodes():
    with Cluster("--nodes", "5") as c:
        same(len(set(c.ready["kv"])), 5)
        same(len(c.http("GET", "/pools/nodes", node=4)[2]["nodes"]), 5)


@test
def arguments_are_checked():
    for args in (["--nodes", "0"], ["--nodes", "257"], ["--nodes", "x"], ["--load", "a.b=c"], ["--load", "a.b.c"],
                 ["--generate", "a.b.c=x"], ["--generate", "a.b.c=1:0"], ["--generate", ".b.c=1"],
                 ["--nosuch"], ["word"]):
        same("Try" in refused(*args), True)


@test
def only_loopback_is_bound():
    for address in ("0.0.0.0", "::", "192.168.1.1", "localhost.example"):
        same("only 127.0.0.1" in refused("--bind", address), True)
    for address, table, hexadecimal in (("127.0.0.1", "tcp", "0100007F"), ("::1", "tcp6", "0" * 24 + "01000000")):
        if table == "tcp6" and not os.path.exists("/proc/net/if_inet6"):
            continue
        with Cluster("--bind", address) as c:
            with open(f"/proc/{c.process.pid}/net/{table}", encoding="ascii") as file:
                ports = {int(a.split(":")[-1]) for k in ("kv", "management", "control") for a in c.ready[k]}
                bound = [line.split()[1] for line in file if line.split()[3] == "0A"]
            ours = [b for b in bound if int(b.split(":")[1], 16) in ports]
            same(len(ours), len(ports))
            same({b.split(":")[0] for b in ours}, {hexadecimal})
            same(c.http("GET", "/pools/default/b/default")[0], 200)
            same(c.control("status")[0], 200)


@test
def ends_on_signals():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Cluster() as c:
            c.process.send_signal(number)
            same(c.process.wait(10), 0)
            same(os.path.exists(c.ready_file), False)


@test
def ends_with_parent():
    with tempfile.TemporaryDirectory() as folder:
        ready = os.path.join(folder, "ready")
        shell = subprocess.Popen(["sh", "-c", f"'{BINARY}' --die-with-parent --ready-file {ready} & echo $!; sleep 60"],
                                 stdout=subprocess.PIPE)
        pid = int(shell.stdout.readline())
        while not os.path.exists(ready):
            time.sleep(0.01)
        shell.kill()
        shell.wait()
        shell.stdout.close()
        for _ in range(500):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                    if file.read().split()[2] == "Z":
                        return
            except FileNotFoundError:
                return
            time.sleep(0.01)
        raise AssertionError("it lives on")


# ---------------------------------------------------------------- start-up file and documents

@test
def start_up_file():
    config = {
        "nodes": 3,
        "buckets": [{"name": "a.b", "vbuckets": 64, "replicas": 1,
                     "scopes": {"s": {"collections": {"c": {}, "t": {"max_expiry": 5}}}},
                     "map": [{"vbucket": 0, "to": 62, "active": 0}, {"vbucket": 63, "active": 1, "replicas": [2]}]}],
        "users": [{"name": "root", "password": "secret", "roles": ["admin"]}],
    }
    with Cluster(config=config) as c:
        root = ("root", "secret")
        body = c.http("GET", "/pools/default/b/a.b", root)[2]
        same([v[0] for v in body["vBucketServerMap"]["vBucketMap"]], [0] * 63 + [1])
        same(body["vBucketServerMap"]["vBucketMap"][63], [1, 2])
        scopes = c.http("GET", "/pools/default/buckets/a.b/scopes", root)[2]["scopes"]
        same([(s["name"], [(k["name"], k["maxTTL"]) for k in s["collections"]]) for s in scopes if s["name"] == "s"],
             [("s", [("c", 0), ("t", 5)])])
        same(c.http("GET", "/pools", ADMIN)[0], 401)


@test
def start_up_file_is_checked():
    with tempfile.TemporaryDirectory() as folder:
        for text, complaint in (("{", "config"), ('{"node": 2}', '"node"'), ('{"nodes": 999}', "nodes"),
                                ('{"bind": "0.0.0.0"}', "127.0.0.1"), ('{"buckets": [{}]}', "name"),
                                ('{"buckets": [{"name": "a", "vbuckets": 7}]}', "64, 128 or 1024"),
                                ('{"buckets": [{"name": "a"}, {"name": "a"}]}', "taken"),
                                ('{"buckets": [{"name": "a", "scopes": {"_x": {}}}]}', "not allowed"),
                                ('{"users": [{"name": "a", "password": "b", "roles": ["king"]}]}', '"king"'),
                                ('{"users": [{"name": "a", "password": "b", "roles": ["admin[b]"]}]}', '"admin[b]"'),
                                ('{"nodes": 2, "nodes": 3}', "duplicate")):
            path = os.path.join(folder, "config")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            message = refused("--config", path)
            if complaint not in message:
                raise AssertionError(f"{text}: {message}")


@test
def load_keeps_every_byte():
    documents = {
        b"object": (1, b'{"x": 1.50, "y":[ 1E+2,-0.0 ],"x":2}'),
        b"escapes": (1, b'{"u":"\\u00e9\\ud800","s":"\\/"}'),
        "key é😀".encode(): (1, "[\"é\"]".encode()),
        b"text": (0, b"not json"),
        b"quote\"tab\t": (1, b"null"),
        b"empty": (0, b""),
        b"nested": (1, b'[1, {"a":"]}"}, 2]'),
    }
    lines = []
    for number, (key, (datatype, value)) in enumerate(documents.items()):
        text = json.dumps(key.decode(), ensure_ascii=number % 2 == 0)
        if datatype == 1 and number % 2 == 0:
            lines.append(b'  {"doc" :' + value + b' ,"key": ' + text.encode() + b"}\r\n\n")
        else:
            lines.append(b'{"key":' + text.encode() + b',"doc":' + json.dumps(value.decode()).encode() + b"}\n")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "docs")
        with open(path, "wb") as file:
            file.write(b"".join(lines).rstrip(b"\n"))
        with Cluster("--load", f"default._default._default={path}", "--load", f"new.s.c={path}") as c:
            same(kv_values(c, documents), documents)
            same(c.items("new"), len(documents))


@test
def load_is_checked():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "docs")
        for line in ("[]", "{}", '{"key":1,"doc":{}}', '{"key":"a"}', '{"key":"a","doc":}', '{"key":"a","doc":{}}x',
                     '{"key":"a","doc":{"a":}}', '{"key":"a","doc":{},"more":1}', '{"key":"a","key":"b","doc":1}',
                     '{"key":"","doc":1}', '{"key":"\\ud800","doc":1}', '{"key":"' + "k" * 300 + '","doc":1}'):
            with open(path, "w", encoding="utf-8") as file:
                file.write('{"key":"ok","doc":1}\n' + line + "\n")
            message = refused("--load", f"default._default._default={path}")
            if f"{path}:2: " not in message:
                raise AssertionError(f"{line}: {message}")
        same("cannot open" in refused("--load", "default._default._default=/nowhere"), True)
        same("not allowed" in refused("--generate", "default._bad.c=1"), True)


@test
def generate():
    with Cluster("--generate", "default._default._default=1000:400", "--generate", "other.s.c=5") as c:
        same((c.items("default"), c.items("other")), (1000, 5))
        found = kv_values(c, [b"doc-00000001", b"doc-00001000"])
        for key, (datatype, value) in found.items():
            same((datatype, len(value), json.loads(value)["id"]), (1, 400, int(key[4:])))
        same(len(found), 2)


# ---------------------------------------------------------------- management service

READER = ("reader", "reader secret")
TWO_USERS = {
    "buckets": [{"name": "mine", "flush_enabled": True}, {"name": "other"}],
    "users": [{"name": ADMIN[0], "password": ADMIN[1], "roles": ["admin"]},
              {"name": READER[0], "password": READER[1], "roles": ["data_reader[mine]"]}],
}


@test
def authentication():
    with Cluster(config=TWO_USERS) as c:
        for user in (None, ("Administrator", "wrong"), ("nobody", "password"), ("Administrator", "")):
            status, headers, body = c.http("GET", "/pools", user)
            same((status, headers["WWW-Authenticate"].split("=")[0], body), (401, "Basic realm", b""))
        same(c.http("GET", "/pools", READER)[0], 200)
        same(c.http("GET", "/whoami", None)[2]["domain"], "anonymous")
        same(c.http("GET", "/whoami", READER)[2]["roles"][0]["bucket_name"], "mine")
        same(c.http("GET", "/whoami", ("reader", "wrong"))[0], 401)


@test
def permissions():
    with Cluster(config=TWO_USERS) as c:
        same(c.http("GET", "/pools/default/b/mine", READER)[0], 200)
        status, _, body = c.http("GET", "/pools/default/b/other", READER)
        same((status, body["permissions"]), (403, ["cluster.bucket[other].settings!read"]))
        same(c.http("GET", "/pools/default/b/missing", READER)[0], 403)
        status, _, body = c.http("GET", "/pools/default/b/missing")
        same((status, body), (404, b"Requested resource not found.\r\n"))
        same([b["name"] for b in c.http("GET", "/pools/default/buckets", READER)[2]], ["mine"])
        same(c.http("POST", "/pools/default/buckets", READER, "name=x")[0], 403)
        same(c.http("POST", "/pools/default/buckets/mine/scopes", READER, "name=x")[0], 403)
        same(c.http("DELETE", "/pools/default/buckets/mine", READER)[0], 403)
        same(c.http("GET", "/settings/rbac/users", READER)[0], 403)


@test
def unknown_paths_and_methods():
    with Cluster() as c:
        same(c.http("GET", "/pools/nowhere")[0], 404)
        same(c.http("GET", "/" + "a/" * 40)[0], 400)
        same(c.http("POST", "/pools")[0], 405)
        same(c.http("GET", "/pools/%64efault/")[0], 200)


@test
def terse_configuration():
    with Cluster() as c:
        for node in (0, 1):
            body = c.http("GET", "/pools/default/b/default", node=node)[2]
            same([n.get("thisNode", False) for n in body["nodesExt"]], [node == 0, node == 1])
            for service, listed in (("kv", "kv"), ("mgmt", "management")):
                same([n["services"][service] for n in body["nodesExt"]],
                     [int(a.split(":")[1]) for a in c.ready[listed]])
            same(body["vBucketServerMap"]["serverList"], ["$HOST:" + a.split(":")[1] for a in c.ready["kv"]])
            same(len(body["vBucketServerMap"]["vBucketMap"]), 1024)
        body = c.http("GET", "/pools/default/nodeServices")[2]
        same((len(body["nodesExt"]), "vBucketServerMap" in body), (2, False))


@test
def streaming_configuration():
    with Cluster() as c:
        link, answer = c.stream("/pools/default/bs/default")
        first = next_part(answer)
        same(c.control("move?bucket=default&vbucket=7&to=1")[0], 200)
        second = next_part(answer)
        same((first["vBucketServerMap"]["vBucketMap"][7][0], second["vBucketServerMap"]["vBucketMap"][7][0]), (0, 1))
        same(second["rev"] > first["rev"], True)
        link.close()
        same(c.control("revision")[0], 200)
        for path, member in (("bucketsStreaming/default", "basicStats"), ("nodeServicesStreaming", "nodesExt")):
            link, answer = c.stream("/pools/default/" + path)
            same(member in next_part(answer), True)
            same(c.control("revision")[0], 200)
            same(member in next_part(answer), True)
            link.close()
        link, answer = c.stream("/pools/default/bs/default")
        next_part(answer)
        same(c.http("DELETE", "/pools/default/buckets/default")[0], 200)
        same(next_part(answer), None)
        link.close()


@test
def scopes_and_collections():
    with Cluster() as c:
        path = "/pools/default/buckets/default/scopes"
        uids = [int(c.http("GET", path)[2]["uid"], 16)]

        def change(method, where, form=None):
            status, _, body = c.http(method, path + where, form=form)
            same(status, 200)
            uids.append(int(body["uid"], 16))

        change("POST", "", "name=s")
        change("POST", "/s/collections", "name=c&maxTTL=30")
        change("PATCH", "/s/collections/c", "maxTTL=60")
        same(c.http("GET", path)[2]["scopes"][-1]["collections"][0]["maxTTL"], 60)
        for method, where, form, status, text in (
                ("POST", "", "name=s", 400, 'Scope with name "s" already exists'),
                ("POST", "/s/collections", "name=c", 400, 'Collection with name "c" in scope "s" already exists'),
                ("POST", "/x/collections", "name=c", 404, 'Scope with name "x" is not found'),
                ("DELETE", "/s/collections/x", None, 404, 'Collection with name "x" in scope "s" is not found'),
                ("DELETE", "/x", None, 404, 'Scope with name "x" is not found'),
                ("DELETE", "/_default", None, 400, "Deleting _default scope is not allowed")):
            answer = c.http(method, path + where, form=form)
            same((answer[0], answer[2]["errors"]["_"]), (status, text))
        for form in ("", "name=", "name=_x", "name=%25x", "name=a.b", "name=" + "x" * 252):
            answer = c.http("POST", path, form=form)
            same((answer[0], list(answer[2]["errors"])), (400, ["name"]))
        same(c.http("POST", path + "/s/collections", form="name=d&maxTTL=-2")[0], 400)
        same(c.http("POST", path + "/s/collections", form="name=d&history=true")[0], 400)
        change("DELETE", "/s/collections/c")
        change("DELETE", "/s")
        same(uids, sorted(set(uids)))


@test
def buckets():
    with Cluster() as c:
        path = "/pools/default/buckets"
        form = "name=made&ramQuotaMB=128&replicaNumber=0&numVBuckets=64&flushEnabled=1"
        status, headers, _ = c.http("POST", path, form=form)
        same((status, headers["Location"]), (202, path + "/made"))
        body = c.http("GET", path + "/made")[2]
        same((body["numVBuckets"], body["replicaNumber"], body["quota"]["rawRAM"]), (64, 0, 128 << 20))
        same(list(body["controllers"]), ["flush"])
        for form, field in (("name=made", "name"), ("name=MADE", "name"), ("", "name"), ("name=.x", "name"),
                            ("name=a%20b", "name"),
                            ("name=x&ramQuotaMB=1", "ramQuotaMB"), ("name=x&replicaNumber=4", "replicaNumber"),
                            ("name=x&bucketType=ephemeral", "bucketType"), ("name=x&maxTTL=5", "maxTTL")):
            answer = c.http("POST", path, form=form)
            same((answer[0], list(answer[2]["errors"])), (400, [field]))
        same(c.http("POST", path + "/made/controller/doFlush")[0], 200)
        same(c.http("POST", path + "/default/controller/doFlush")[2], {"_": "Flush is disabled for the bucket"})
        same(c.http("DELETE", path + "/made")[0], 200)
        same(c.http("DELETE", path + "/made")[0], 404)


@test
def flush_deletes():
    with Cluster("--generate", "mine.s.c=500:400", config=TWO_USERS) as c:
        same(c.items("mine"), 500)
        same(c.http("POST", "/pools/default/buckets/mine/controller/doFlush")[0], 200)
        same(c.items("mine"), 0)


@test
def users():
    with Cluster() as c:
        path = "/settings/rbac/users/local/new"
        same(c.http("GET", path)[0], 404)
        same(c.http("PUT", path, form="roles=admin")[2]["errors"], {"password": "Password is required for new user."})
        same(list(c.http("PUT", path, form="password=abcdef&roles=king")[2]["errors"]), ["roles"])
        same(c.http("PUT", path, form="password=abcdef&name=New%20One&roles=data_reader%5Bdefault:_default%5D")[0], 200)
        body = c.http("GET", path)[2]
        role = body["roles"][0]
        same((body["name"], role["scope_name"], role["collection_name"]), ("New One", "_default", "*"))
        same(c.http("GET", "/pools/default/b/default", ("new", "abcdef"))[0], 200)
        same(c.http("PUT", path, form="roles=")[0], 200)
        same(c.http("GET", "/pools/default/b/default", ("new", "abcdef"))[0], 403)
        same(c.http("DELETE", path)[0], 200)
        same(c.http("GET", "/pools", ("new", "abcdef"))[0], 401)


# ---------------------------------------------------------------- control port

def connects(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
        return True
    except ConnectionRefusedError:
        return False


@test
def control_is_checked():
    with Cluster() as c:
        for switch in ("nothing", "kill", "kill?node=2", "kill?node=x", "kill?node=0&x=1", "fault?node=0&kind=odd",
                       "fault?node=0&kind=status", "move?bucket=default&vbucket=1024&to=0",
                       "move?bucket=none&vbucket=1&to=0",
                       "delay?node=0", "clock?ms=-1", "rebalance"):
            status, body = c.control(switch)
            same((status, list(body)), (400, ["error"]))
        same([row["path"] for row in c.control("")[1]][:2], ["/status", "/clock"])


@test
def kill_and_revive():
    with Cluster() as c:
        before = c.http("GET", "/pools/default/b/default")[2]["rev"]
        same(c.control("kill?node=1")[0], 200)
        same([connects(c.ready[k][1]) for k in ("kv", "management")], [False, False])
        same(c.http("GET", "/pools/default/b/default")[2]["rev"], before)
        same(c.control("status")[1]["nodes"][1]["killed"], True)
        same(c.control("revive?node=1")[0], 200)
        same([connects(c.ready[k][1]) for k in ("kv", "management")], [True, True])
        same(c.http("GET", "/pools", node=1)[0], 200)


@test
def fail_over_and_return():
    with Cluster(config={"buckets": [{"name": "default", "replicas": 1}],
                         "users": [{"name": ADMIN[0], "password": ADMIN[1], "roles": ["admin"]}]}) as c:
        same(c.control("kill?node=1&failover=1")[0], 200)
        body = c.http("GET", "/pools/default/b/default")[2]
        same((len(body["nodesExt"]), {row[0] for row in body["vBucketServerMap"]["vBucketMap"]}), (1, {0}))
        same(c.control("failover?node=0")[0], 400)
        same(c.control("revive?node=1")[0], 200)
        body = c.http("GET", "/pools/default/b/default")[2]
        same((len(body["nodesExt"]), {row[0] for row in body["vBucketServerMap"]["vBucketMap"]}), (2, {0, 1}))


@test
def pause_and_resume():
    with Cluster() as c:
        same(c.control("pause?node=1")[0], 200)
        try:
            c.http("GET", "/pools", node=1, timeout=0.3)
            raise AssertionError("a paused node answers")
        except TimeoutError:
            pass
        host, port = c.ready["management"][1].split(":")
        link = socket.create_connection((host, int(port)), timeout=5)
        link.sendall(b"GET /whoami HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.1)
        same(c.control("resume?node=1")[0], 200)
        same(link.recv(12), b"HTTP/1.1 200")
        link.close()
        same(c.http("GET", "/pools", node=1)[0], 200)


@test
def paused_and_killed():
    with Cluster() as c:
        same(c.control("pause?node=all")[0], 200)
        host, port = c.ready["management"][1].split(":")
        link = socket.create_connection((host, int(port)), timeout=5)
        link.sendall(b"GET /whoami HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.1)
        same(c.control("kill?node=1")[0], 200)
        same(c.control("revive?node=1")[0], 200)
        same(c.http("GET", "/pools", node=1)[0], 200)
        link.close()


@test
def rebalance():
    with Cluster("--nodes", "4") as c:
        same(c.control("rebalance?bucket=default&without=2")[0], 200)
        same(c.control("status")[1]["buckets"][0]["active_vbuckets"], [342, 341, 0, 341])
        same(c.control("rebalance?bucket=default")[0], 200)
        same(c.control("status")[1]["buckets"][0]["active_vbuckets"], [256] * 4)


@test
def revision_and_epoch():
    with Cluster() as c:
        old = c.http("GET", "/pools/default/b/default")[2]
        same(c.control("revision?epoch=7")[0], 200)
        new = c.http("GET", "/pools/default/b/default")[2]
        same((new["revEpoch"], new["rev"] > old["rev"]), (7, True))


@test
def spoilt_requests():
    token = base64.b64encode(":".join(ADMIN).encode())
    head = b" HTTP/1.1\r\nHost: x\r\nAuthorization: Basic " + token + b"\r\n"
    seeds = [("management", line + head + b"Content-Length: %d\r\n\r\n" % len(body) + body) for line, body in (
        (b"GET /pools/default/b/default", b""), (b"GET /pools/default/bs/default", b""),
        (b"POST /pools/default/buckets/default/scopes", b"name=s"),
        (b"POST /pools/default/buckets", b"name=b&ramQuotaMB=100"),
        (b"DELETE /pools/default/buckets/default/scopes/s/collections/c", b""),
        (b"PUT /settings/rbac/users/local/a%41", b"password=abcdef&roles=data_reader%5Bdefault%3Aa:b%5D"))]
    seeds += [("control", b"POST /" + line + head + b"\r\n") for line in (
        b"fault?node=0&kind=delay&ms=1&count=2", b"move?bucket=default&vbucket=3&to=1", b"status", b"kill?node=1",
        b"revive?node=1", b"pause?node=1", b"resume?node=1", b"refuse?node=1", b"accept?node=1", b"freeze?node=1",
        b"thaw?node=1", b"wire?node=0&kind=corrupt&after=9", b"http?node=0&kind=close", b"add", b"remove?node=2",
        b"rebalance?bucket=default&step_ms=1", b"recreate?bucket=default", b"warmup?bucket=default&node=0&state=warming",
        b"alternate?node=0&hostname=h&ports=%7B%22kv%22:1%7D", b"hostname?node=0&name=h", b"config?bucket=default",
        b"sasl?kind=no-signature")]
    chance = random.Random(1)
    with Cluster() as c:
        links = []
        for _ in range(2000):
            port, seed = chance.choice(seeds)
            text = bytearray(seed)
            for _ in range(chance.randint(0, 4)):
                at = chance.randrange(len(text))
                if chance.random() < 0.5:
                    text[at] = chance.randrange(256)
                else:
                    text[at:at] = chance.choice([b"%", b"%zz", b"%00", b"%ff", b"\x00", b"/?", b"=", b"&", b"A" * 300])
            host, number = chance.choice(c.ready[port]).split(":")
            try:
                link = socket.create_connection((host, int(number)), timeout=2)
                link.sendall(text)
                link.settimeout(0.005)
                link.recv(65536)
            except OSError:
                pass
            links.append(link)
            if len(links) > 20:
                links.pop(chance.randrange(len(links))).close()
            same(c.process.poll(), None)
        for link in links:
            link.close()
        same(c.control("revive?node=1")[0], 200)
        c.process.terminate()
        same(c.process.wait(30), 0)


@test
def quit_switch():
    with Cluster() as c:
        same(c.control("quit")[0], 200)
        same(c.process.wait(10), 0)


def main():
    if not os.access(BINARY, os.X_OK):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    passed = failed = 0
    for function in TESTS:
        if len(sys.argv) > 2 and sys.argv[2] not in function.__name__:
            continue
        try:
            function()
            passed += 1
        except Exception as error:              # every kind of failure is a failed test
            failed += 1
            print(f"FAILED {function.__name__}: {type(error).__name__}: {error}")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
