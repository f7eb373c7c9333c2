"""The examples of the reference page, as they stand there: with curl and with the official Python SDK. Run by tests/run."""

import html
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import requests
from server import Server

EXAMPLES = pathlib.Path(__file__).parents[3] / "docs" / "examples"
SAYS = {"pay": "succeeded 1912", "hold": "3000 succeeded", "decline": "card_declined insufficient_funds requires_payment_method",
        "find": "True"}


def setUpModule():
    global server, environment
    server = Server()
    environment = {**os.environ, "TOLLGATE_URL": server.api, "TOLLGATE_KEY": "sk_test_examples0123456789abcdefgh"}


def tearDownModule():
    server.close()


class Examples(unittest.TestCase):
    def run_it(self, *command):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def test_python_examples_say_what_happened(self):
        for name, said in SAYS.items():
            with self.subTest(name):
                self.assertTrue(self.run_it(sys.executable, "-B", EXAMPLES / f"{name}.py").startswith(said))

    @unittest.skipUnless(shutil.which("curl"), "there is no curl here")
    def test_curl_examples_succeed(self):
        for name in SAYS:
            with self.subTest(name):
                self.assertTrue(self.run_it("bash", "-euo", "pipefail", EXAMPLES / f"{name}.sh"))

    def test_the_page_shows_them_all(self):
        page = html.unescape(requests.get(server.api + "/docs", timeout=30).text)
        files = sorted(EXAMPLES.iterdir())
        self.assertEqual(len(files), 3 * len(SAYS))
        for file in files:
            self.assertIn(file.read_text(), page)


if __name__ == "__main__":
    unittest.main()
