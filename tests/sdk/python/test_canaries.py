"""Plants card numbers, security codes and keys through every door of a server, and looks for them in its data, its log, its
metrics and everything it answers. Run by tests/run."""

import http.client
import json
import signal
import unittest
import urllib.parse

from server import Server

KEY = "sk_test_canaryk3ysAreNeverWrittenDown0123"
CVC = "90817263544"
"""No security code, so that it is told from other digits; refused, and then repeated nowhere."""

WELCOME = "a description that is kept as it is"


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def number(nth):
    """The nth canary: a Visa number that no table has."""
    digits = f"4929{nth:03d}80917263"[:15]
    for check in "0123456789":
        total = 0
        for at, digit in enumerate(reversed(digits + check)):
            value = int(digit) * (2 if at % 2 else 1)
            total += value - 9 if value > 9 else value
        if total % 10 == 0:
            return digits + check
    raise AssertionError("one digit is right")


class Canaries(unittest.TestCase):
    def setUp(self):
        self.planted = []
        self.answers = []

    def plant(self):
        self.planted.append(number(len(self.planted)))
        return self.planted[-1]

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(server.api.removeprefix("http://"), timeout=30)
        try:
            fields = {"Authorization": f"Bearer {KEY}", "Stripe-Version": "2026-10-28.endive"}
            if body is not None and not isinstance(body, str):
                body = urllib.parse.urlencode(body)
            if body is not None:
                fields["Content-Type"] = "application/x-www-form-urlencoded"
            fields.update({name.replace("_", "-"): value for name, value in headers.items()})
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            told = f"{answer.status} {answer.getheaders()} {answer.read().decode()}"
            self.answers.append(told)
            return answer.status, told
        finally:
            connection.close()

    def card(self, **changes):
        fields = {"number": self.plant(), "exp_month": "8", "exp_year": "2040", "cvc": "314", **changes}
        return {name: value for name, value in fields.items() if value is not None}

    def nested(self, path, **changes):
        return {f"{path}[{name}]": value for name, value in self.card(**changes).items()}

    def test_none_is_found(self):
        self.doors_where_cards_belong()
        self.doors_where_they_do_not()
        for line in self.answers:
            self.look_in("an answer", line.encode())
        connection = http.client.HTTPConnection(server.admin.removeprefix("http://"), timeout=30)
        connection.request("GET", "/metrics")
        self.look_in("metrics", connection.getresponse().read())
        connection.close()
        server.restart(signal.SIGKILL)
        status, _ = self.ask("GET", "/v1/payment_methods?limit=100")
        self.assertEqual(status, 200)
        self.assertEqual(server.stop(), 0)
        seen = False
        for file in server.directory.rglob("*"):
            if file.is_file():
                text = file.read_bytes()
                self.look_in(str(file), text)
                seen = seen or WELCOME.encode() in text
        self.assertTrue(seen, "what may be kept is found, so what is not found is not kept")
        server.start()

    def doors_where_cards_belong(self):
        self.assertEqual(self.ask("POST", "/v1/customers", {"description": WELCOME})[0], 200)
        method = {"type": "card"}
        self.assertEqual(self.ask("POST", "/v1/payment_methods", {**method, **self.nested("card")})[0], 200)
        self.assertEqual(self.ask("POST", "/v1/tokens", self.nested("card"))[0], 200)
        intent = {"amount": "2000", "currency": "usd", "payment_method_data[type]": "card",
                  "automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"}
        # Declined when it is paid with: it is no test card. The door is the same.
        for confirm, expected in [("false", 200), ("true", 402)]:
            self.assertEqual(self.ask("POST", "/v1/payment_intents", {**intent, "confirm": confirm,
                                      **self.nested("payment_method_data[card]")})[0], expected)
        self.ask("POST", "/v1/setup_intents", {"payment_method_data[type]": "card", "confirm": "true",
                                               **self.nested("payment_method_data[card]")})
        self.ask("POST", "/v1/test_helpers/confirmation_tokens", {"payment_method_data[type]": "card",
                                                                  **self.nested("payment_method_data[card]")})
        self.ask("POST", "/v1/confirmation_tokens", {"payment_method_data[type]": "card",
                                                     **self.nested("payment_method_data[card]")})
        self.ask("POST", "/v1/sources", {"type": "card", **self.nested("card")})
        self.ask("POST", "/v1/customers", {"source[object]": "card", **self.nested("source")})
        self.ask("POST", "/v1/charges", {"amount": "2000", "currency": "usd", "source[object]": "card",
                                         **self.nested("source")})
        # Twice under one key, and once more with another number.
        body = {**method, **self.nested("card")}
        for _ in range(2):
            status, _ = self.ask("POST", "/v1/payment_methods", body, Idempotency_Key="canary-1")
            self.assertEqual(status, 200)
        status, told = self.ask("POST", "/v1/payment_methods", {**method, **self.nested("card")},
                                Idempotency_Key="canary-1")
        self.assertEqual(status, 400, told)
        # Wrong in one way each; the refusal is kept under its key and told again.
        for at, changes in enumerate([{"exp_month": "13"}, {"exp_year": "1999"}, {"cvc": CVC}, {"exp_year": None}]):
            body = {**method, **self.nested("card", **changes)}
            for _ in range(2):
                status, told = self.ask("POST", "/v1/payment_methods", body, Idempotency_Key=f"canary-wrong-{at}")
                self.assertIn(status, (400, 402), told)

    def doors_where_they_do_not(self):
        visa = {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": "8", "card[exp_year]": "2040"}
        for path, body in [
            ("/v1/payment_methods", {**visa, "card[exp_month]": self.plant()}),
            ("/v1/payment_methods", {**visa, "card[number][digits]": self.plant()}),
            ("/v1/payment_methods", {**visa, "card[cvc][digits]": CVC}),
            ("/v1/payment_methods", {**visa, "card[token]": self.plant()}),
            ("/v1/payment_methods", {**visa, "type": self.plant()}),
            ("/v1/payment_methods", {**visa, self.plant(): "1"}),
            ("/v1/payment_methods", {**visa, f"card[{self.plant()}]": "1"}),
            ("/v1/payment_methods", {**visa, "number": self.plant()}),
            ("/v1/payment_methods", {"type": "card", "card": self.plant()}),
            ("/v1/payment_intents", {"amount": self.plant() + "x", "currency": "usd"}),
            ("/v1/payment_intents", {"amount": "2000", "currency": self.plant()}),
            ("/v1/payment_intents", {"amount": "2000", "currency": "usd", "payment_method": self.plant()}),
            ("/v1/payment_intents", {"amount": "2000", "currency": "usd", "customer": self.plant()}),
            ("/v1/payment_intents", {"amount": "2000", "currency": "usd", "confirm": self.plant()}),
            ("/v1/payment_intents", {"amount": "2000", "currency": "usd", "expand[]": self.plant()}),
            (f"/v1/payment_methods/{self.plant()}/attach", {"customer": "cus_x"}),
            (f"/v1/{self.plant()}", {}),
        ]:
            status, told = self.ask("POST", path, body)
            self.assertIn(status, (400, 402, 404), told)
        card = {"number": self.plant(), "cvc": CVC}
        status, told = self.ask("POST", "/v1/payment_methods", json.dumps({"type": "card", "card": card}),
                                Content_Type="application/json")
        self.assertIn(status, (400, 415), told)
        status, told = self.ask("POST", "/v1/payment_methods", json.dumps({"type": "card", "card": card}))
        self.assertEqual(status, 400, told)
        query = urllib.parse.urlencode({"card[number]": self.plant(), "card[cvc]": CVC})
        self.assertEqual(self.ask("GET", f"/v1/payment_methods?{query}")[0], 400)
        self.assertEqual(self.ask("GET", f"/v1/charges/{self.plant()}?{query}")[0], 400)
        self.assertEqual(self.ask("GET", f"/v1/payment_methods/{self.plant()}")[0], 404)
        for headers in [{"Stripe_Version": self.plant()}, {"Stripe_Account": self.plant()},
                        {"Authorization": f"Bearer {self.plant()}"}]:
            status, told = self.ask("GET", "/v1/balance", **headers)
            self.assertIn(status, (400, 401, 403), told)

    def look_in(self, where, text):
        for canary in [*self.planted, CVC, KEY]:
            self.assertNotIn(canary.encode(), text, f"{canary[:6]}… is in {where}")


if __name__ == "__main__":
    unittest.main()
