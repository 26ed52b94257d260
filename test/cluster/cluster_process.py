"""A cbcluster for the tests beside this file: started in a folder of its own, ended with the with block."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time


class ClusterProcess:
    """The program of sys.argv[1]. ready: what it told of itself. It must end well, unless the block failed anyway."""

    def __init__(self, *args, config=None):
        self.folder = tempfile.TemporaryDirectory(prefix="cbcluster-test-")
        self.ready_file = self.path("ready.json")
        args = [sys.argv[1], "--die-with-parent", "--ready-file", self.ready_file, *args]
        if config is not None:
            args += ["--config", self.write("config.json", json.dumps(config))]
        self.stderr = open(self.path("stderr"), "w+b")
        self.process = subprocess.Popen(args, stderr=self.stderr)
        end = time.time() + 60
        while not os.path.exists(self.ready_file):
            if self.process.poll() is not None or time.time() > end:
                self.process.kill()
                raise AssertionError("cbcluster did not start: " + self.errors())
            time.sleep(0.01)
        with open(self.ready_file, encoding="utf-8") as file:
            self.ready = json.load(file)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        """A file in the folder; its path."""
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def errors(self):
        """What it wrote to standard error."""
        with open(self.path("stderr"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def __enter__(self):
        return self

    def __exit__(self, kind, *exception):
        self.process.terminate()
        try:
            status = self.process.wait(30)
            if kind is None and status != 0:
                raise AssertionError(f"cbcluster ended with status {status}: {self.errors()}")
        finally:
            self.process.kill()
            self.stderr.close()
            self.folder.cleanup()

    def address(self, kind="kv", node=0):
        """Host and port of a service."""
        host, port = self.ready[kind][node].rsplit(":", 1)
        return host, int(port)

    def post(self, switch, body=None):
        """Status and answer of a switch of the control port."""
        link = http.client.HTTPConnection(self.ready["control"][0], timeout=10)
        link.request("POST", "/" + switch, body=body)
        answer = link.getresponse()
        result = json.loads(answer.read())
        link.close()
        return answer.status, result
