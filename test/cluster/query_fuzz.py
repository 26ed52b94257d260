#!/usr/bin/env python3
"""Sends spoilt statements to the query service: pieces of the recorded ones left out, put in, exchanged; bytes of the request
changed. Whatever comes, the service answers with JSON that has a status, and goes on.

usage: query_fuzz.py CBCLUSTER VECTORS [COUNT [SEED]]
"""
import base64
import glob
import http.client
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\w+|\s+|.', re.S)


def recorded(folder):
    """Statements and parameters of all families."""
    found = []
    for name in sorted(glob.glob(os.path.join(folder, "*.jsonl"))):
        with open(name, encoding="utf-8") as file:
            for line in file:
                vector = json.loads(line)
                if vector["statement"]:
                    params = json.loads(vector["params"])
                    params.pop("timeout", None)
                    found.append((vector["statement"], params))
    return found


def spoil(rng, statement, statements, pieces):
    parts = TOKENS.findall(statement)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(parts)) if parts else 0
        how = rng.randrange(5)
        if how == 0:
            del parts[at:at + 1]
        elif how == 1:
            parts.insert(at, rng.choice(pieces))
        elif how == 2:
            parts[at:at + 1] = [rng.choice(pieces)]
        elif how == 3:
            del parts[at:]
        else:
            other = TOKENS.findall(rng.choice(statements)[0])
            start = rng.randrange(len(other))
            parts[at:at] = other[start:start + rng.randint(1, 6)]
    return "".join(parts)


def request(rng, statements, pieces):
    statement, params = rng.choice(statements)
    text = spoil(rng, statement, statements, pieces)
    body = json.dumps(dict(params, statement=text, timeout="2s")).encode("utf-8", "surrogatepass")
    if rng.random() < 0.05:
        body = bytearray(body)
        for _ in range(3):
            body[rng.randrange(len(body))] = rng.randrange(256)
    return text, bytes(body)


def ask(address, body):
    """Status of HTTP and of the answer."""
    link = http.client.HTTPConnection(address, timeout=60)
    link.request("POST", "/query/service", body, {
        "Authorization": "Basic " + base64.b64encode(b"Administrator:password").decode(),
        "Content-Type": "application/json"})
    answer = link.getresponse()
    status = json.loads(answer.read())["status"]
    link.close()
    return answer.status, status


def main(program, vectors, count, seed):
    statements = recorded(vectors)
    rng = random.Random(seed)
    pieces = [t for s, _ in rng.sample(statements, 500) for t in TOKENS.findall(s)]
    with tempfile.TemporaryDirectory(prefix="cbcluster-test-") as folder:
        ready = os.path.join(folder, "ready.json")
        loads = [f"--load={name}._default._default={vectors}/docs/{name}.jsonl" for name in ("nasty", "airline", "route")]
        config = os.path.join(os.path.dirname(os.path.abspath(__file__)), "query.json")
        process = subprocess.Popen([program, "--config", config, "--ready-file", ready, "--die-with-parent", *loads])
        try:
            while not os.path.exists(ready) and process.poll() is None:
                time.sleep(0.05)
            with open(ready, encoding="utf-8") as file:
                address = json.load(file)["query"][0]
            for i in range(count):
                text, body = request(rng, statements, pieces)
                try:
                    ask(address, body)
                except (OSError, ValueError, KeyError, http.client.HTTPException) as problem:
                    print(f"FAIL {i} of seed {seed}: {problem!r}: {text}")
                    return 1
        finally:
            process.terminate()
            ended = process.wait(60)
    print(f"{count} spoilt statements answered (seed {seed})")
    return ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 2000,
                  int(sys.argv[4]) if len(sys.argv) > 4 else 1))
