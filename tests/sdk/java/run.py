"""Runs the Java suite against a server of its own. Arguments: the directory of its classes and that of its jars."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))
from server import Server  # noqa: E402

SUITE_SECONDS = 300

classes, jars = sys.argv[1:]
server = Server()
try:
    ended = subprocess.run(["java", "-cp", f"{classes}:{jars}/*", "Suite", server.api], timeout=SUITE_SECONDS)
finally:
    server.close()
sys.exit(ended.returncode)
