"""A query service that does what the statement says: it stands in for one that misbehaves.

Prints its port, then serves until its standard input ends. What comes back is decided by the statement's first
word; what was asked is kept, one JSON line a request, in the file named by the first argument. The second and third
argument, a certificate and its key, put it under TLS.
"""
import http.server
import json
import ssl
import sys
import threading
import time

LOG = open(sys.argv[1], "w", encoding="utf-8")
LOCK = threading.Lock()
COUNTS = {}


def answer(rows, status="success", **more):
    body = '{\n"requestID": "r-1",\n"results": [\n' + ",\n".join(rows) + "\n]"
    for name, value in more.items():
        body += f',\n"{name}": {json.dumps(value)}'
    metrics = {"elapsedTime": "1.5ms", "executionTime": "1ms", "resultCount": len(rows), "resultSize": 1}
    metrics.update(more.get("metrics", {}))
    return body + f',\n"status": "{status}",\n"metrics": {json.dumps(metrics)}\n}}\n'


def refusal(code, msg="refused", http=400, **more):
    error = {"code": code, "msg": msg, **more}
    return http, '{\n"requestID": "r-2",\n"errors": [' + json.dumps(error) + '],\n"status": "fatal",\n"metrics": {}\n}\n'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536

    def log_message(self, *args):
        pass

    def count(self, what):
        with LOCK:
            COUNTS[what] = COUNTS.get(what, 0) + 1
            return COUNTS[what]

    def note(self, **what):
        with LOCK:
            LOG.write(json.dumps(what) + "\n")
            LOG.flush()

    def send(self, body, http=200, kind="application/json", length=None):
        data = body.encode() if isinstance(body, str) else body
        self.send_response(http)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def chunk(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def start_chunks(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def cut(self):
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(2)

    def do_GET(self):
        self.note(get=self.path)
        if self.path == "/admin/ping":
            self.send("{}")
        else:
            self.send("no", http=404, kind="text/plain")

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(raw)
        words = request.get("statement", "prepared " + request.get("prepared", "")).split()
        self.note(path=self.path, authorization=self.headers.get("Authorization"), peer=self.client_address[1],
                  agent=self.headers["User-Agent"], **request)
        if words[0] == "PREPARE":
            words = ["prepare"] + words[1:]
        getattr(self, "on_" + words[0].lower())(request, words[1:])

    # ---- what statements do ----

    def on_echo(self, request, words):
        names = sorted(name for name in request if name.startswith("$"))
        self.send(answer([json.dumps({name[1:]: request[name] for name in names})]))

    def on_rows(self, request, words):
        """rows N BYTES: chunks of a hundred rows"""
        self.start_chunks()
        fill = "x" * int(words[1])
        n = int(words[0])
        self.chunk('{"requestID":"r-3","results":[')
        done = 0
        try:
            while done < n:
                part = [f'{{"n":{i},"t":"{fill}"}}' for i in range(done, min(done + 100, n))]
                self.chunk(("," if done else "") + ",\n".join(part))
                done += len(part)
            self.chunk('],"status":"success","metrics":{"resultCount":%d}}' % n)
            self.chunk("")
            self.wfile.flush()
            self.note(sent=n)
        except OSError:
            self.note(broken=done)
            self.close_connection = True

    def on_select(self, request, words):
        """what cbconn_diag() asks"""
        self.send(answer([words[-1]]))

    def on_raw(self, request, words):
        """raw TEXT: the text is the row"""
        self.send(answer([" ".join(words)]))

    def on_cut(self, request, words):
        """cut N: the connection ends after N rows"""
        self.start_chunks()
        self.chunk('{"requestID":"r-4","results":[' + ",".join(str(i) for i in range(int(words[0]))) + " ")
        self.cut()

    def on_silent(self, request, words):
        """silent SECONDS: nothing is said for so long, then the end is looked for"""
        end = time.time() + float(words[0])
        self.connection.settimeout(0.05)
        while time.time() < end:
            try:
                if self.connection.recv(1) == b"":
                    self.note(closed=time.time())
                    self.close_connection = True
                    return
            except (TimeoutError, ssl.SSLWantReadError):
                pass
        self.connection.settimeout(None)
        self.send(answer(["1"]))

    def on_slowly(self, request, words):
        """slowly N SECONDS: N rows with pauses"""
        self.start_chunks()
        self.chunk('{"results":[')
        for i in range(int(words[0])):
            time.sleep(float(words[1]))
            self.chunk(("," if i else "") + str(i))
            self.wfile.flush()
        self.chunk('],"status":"success"}')
        self.chunk("")
        self.wfile.flush()

    def on_html(self, request, words):
        self.send("<html><body>not here</body></html>", http=int(words[0]), kind="text/html")

    def on_garbage(self, request, words):
        self.wfile.write(b"\x80\x00\xff\xfegarbage\r\n\r\n")
        self.cut()

    def on_body(self, request, words):
        """body TEXT: the text is the whole answer"""
        self.send(" ".join(words))

    def on_longer(self, request, words):
        """more bytes are announced than come"""
        self.send(answer(["1"]), length=100000)

    def on_shorter(self, request, words):
        """fewer bytes are announced than come"""
        self.send(answer(["1", "2"]), length=40)
        self.cut()

    def on_redirect(self, request, words):
        self.send_response(307)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.wfile.flush()

    def on_refuse(self, request, words):
        """refuse CODE HTTP [MESSAGE]"""
        http, body = refusal(int(words[0]), " ".join(words[2:]) or "refused", int(words[1]))
        self.send(body, http=http)

    def on_role(self, request, words):
        http, body = refusal(13014, "User does not have credentials", 401,
                             reason={"missing_role": "query_select", "path": "default:b.s.c"})
        self.send(body, http=http)

    def on_once(self, request, words):
        """once CODE TAG: refused the first time"""
        if self.count(" ".join(words)) == 1:
            http, body = refusal(int(words[0]), http=503)
            self.send(body, http=http)
        else:
            self.send(answer(["1"]))

    def on_drop(self, request, words):
        """drop TAG: the first time, the connection ends without a word"""
        if self.count(" ".join(words)) == 1:
            self.cut()
        else:
            self.send(answer(["1"]))

    def on_status(self, request, words):
        """status WORD: rows, then that status"""
        self.send(answer(["1", "2"], status=words[0]))

    def on_late(self, request, words):
        """an error after rows"""
        self.send(answer(["1", "2"], status="errors", errors=[{"code": 5010, "msg": "evaluation failed"}]))

    def on_change(self, request, words):
        """change N: that many documents were changed"""
        self.send(answer([], metrics={"mutationCount": int(words[0])}))

    def on_warn(self, request, words):
        self.send(answer(["1"], warnings=[{"code": 5036, "msg": "divided by zero"}]))

    def on_prepare(self, request, words):
        """PREPARE of "prepared WORD": a new name each time"""
        self.send(answer(["1"], prepared=f"{words[1]}-{self.count(' '.join(words))}"))

    def on_prepared(self, request, words):
        """the name is known unless it is of the first preparation of "stale" """
        if words[0] == "stale-1":
            http, body = refusal(4040, "No such prepared statement", 404)
            self.send(body, http=http)
        else:
            self.send(answer(["2"]))


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
SERVER.daemon_threads = True
if len(sys.argv) > 3:
    CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CONTEXT.load_cert_chain(sys.argv[2], sys.argv[3])
    SERVER.socket = CONTEXT.wrap_socket(SERVER.socket, server_side=True)
print(SERVER.server_port, flush=True)
threading.Thread(target=SERVER.serve_forever, daemon=True).start()
sys.stdin.read()
