"""A Tollgate server that lives as long as a test: free ports, a temporary directory, killed at the end."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading

BINARY = os.environ["TOLLGATE_BINARY"]
READY_SECONDS = 30


class Server:
    """`tollgate serve --dev` on a directory of its own; `restart(signal)` stops it and starts it on the same data."""

    def __init__(self, *flags):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tollgate-sdk-"))
        self.flags = flags
        self.start()

    def start(self):
        self.log = open(self.directory / "log", "ab")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--dev", "--data", str(self.directory / "data"),
             "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", *self.flags],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        watchdog = threading.Timer(READY_SECONDS, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        found = re.match(r"tollgate ready api=(http://\S+) admin=(http://\S+) data=", line)
        if not found:
            raise AssertionError(f"no ready line but {line!r}; log:\n{(self.directory / 'log').read_text()}")
        self.api, self.admin = found.groups()

    def stop(self, how=signal.SIGTERM):
        """Ends the server with a signal; returns its exit status."""
        self.process.send_signal(how)
        status = self.process.wait(timeout=READY_SECONDS)
        self.process.stdout.close()
        self.log.close()
        return status

    def restart(self, how=signal.SIGKILL):
        status = self.stop(how)
        self.start()
        return status

    def verify(self):
        """Stops the server and audits its data; returns the finished `tollgate verify`."""
        self.stop()
        return subprocess.run([BINARY, "verify", "--data", str(self.directory / "data")],
                              capture_output=True, text=True, timeout=60)

    def close(self):
        """Ends the server, unless it is stopped already, and removes all it wrote."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.directory)
