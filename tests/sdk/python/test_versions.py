"""Requests of older versions, raw and through the official Python SDK. Run by tests/run."""

import unittest

import requests
from server import Server

KEY = "sk_test_versionsuite0123456789abcdef"
NEWEST = "2026-10-28.endive"


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def call(method, path, version, form=None, status=200):
    answer = requests.request(method, server.api + path, auth=(KEY, ""), headers={"Stripe-Version": version},
                              **({"data": form} if method == "POST" else {"params": form}), timeout=30)
    if answer.status_code != status:
        raise AssertionError(f"{method} {path} at {version}: {answer.status_code} {answer.text}")
    if answer.headers["stripe-version"] != version:
        raise AssertionError(f"answered at {answer.headers['stripe-version']}, not {version}")
    return answer.json()


def pay(version, **form):
    plain = version < "2023-08-16"
    redirects = {} if plain else {"automatic_payment_methods[enabled]": "true",
                                  "automatic_payment_methods[allow_redirects]": "never"}
    return call("POST", "/v1/payment_intents", version, {
        "amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true", **redirects, **form})


class Versions(unittest.TestCase):
    def test_an_unknown_version_is_refused_and_repeated(self):
        for version in ["2020-08-28", "2026-10-28", "1999-01-01", "nonsense"]:
            error = call("GET", "/v1/customers", version, status=400)["error"]
            self.assertEqual((error["type"], error["message"]),
                             ("invalid_request_error", f"Invalid Stripe API version: {version}"))
            self.assertNotIn("code", error)

    def test_every_version_pays_and_lists(self):
        for version in ["2013-08-13", "2014-12-08", "2015-04-07", "2017-08-15", "2018-02-28", "2019-02-11", "2019-12-03", "2020-08-27", "2022-08-01", "2022-11-15", "2023-10-16",
                        "2024-06-20", "2024-09-30.acacia", "2025-03-31.basil", "2025-09-30.clover", "2026-03-25.dahlia",
                        "2026-05-27.dahlia", "2026-09-30.endive", NEWEST]:
            with self.subTest(version):
                self.assertEqual(pay(version)["status"], "succeeded")
                self.assertTrue(call("GET", "/v1/payment_intents", version)["data"])
                event = call("GET", "/v1/events", version)["data"][0]
                self.assertEqual(event["api_version"], NEWEST, "events are written at the version of the account")

    def test_previews_and_betas_are_taken_and_repeated(self):
        for version in ["2026-10-28.preview", "2025-03-31.preview", "2020-08-27; orders_beta=v4"]:
            self.assertEqual(call("GET", "/v1/customers", version)["object"], "list")

    def test_a_page_says_its_version_in_its_form(self):
        intent = call("POST", "/v1/payment_intents", "2018-11-08", {"amount": 2000, "currency": "usd"})
        seen = requests.get(f"{server.api}/v1/payment_intents/{intent['id']}", timeout=30, params={
            "key": KEY.replace("sk_", "pk_"), "client_secret": intent["client_secret"],
            "_stripe_version": "2018-11-08"})
        self.assertEqual((seen.status_code, seen.headers["stripe-version"]), (200, "2018-11-08"))
        self.assertEqual((seen.json()["status"], seen.json()["allowed_source_types"]), ("requires_source", ["card"]))
        wrong = requests.get(f"{server.api}/v1/payment_intents/{intent['id']}", timeout=30, params={
            "key": KEY.replace("sk_", "pk_"), "client_secret": intent["client_secret"], "_stripe_version": "2018"})
        self.assertEqual(wrong.json()["error"]["message"], "Invalid Stripe API version: 2018")

    def test_before_2019_a_payment_intent_speaks_of_sources(self):
        intent = call("POST", "/v1/payment_intents", "2018-11-08", {
            "amount": 2000, "currency": "usd", "allowed_source_types[]": "card"})
        self.assertEqual((intent["status"], intent["allowed_source_types"]), ("requires_source", ["card"]))
        self.assertIn("next_source_action", intent)
        for name in ["payment_method_types", "next_action"]:
            self.assertNotIn(name, intent)
        now = call("GET", f"/v1/payment_intents/{intent['id']}", NEWEST)
        self.assertEqual((now["status"], now["payment_method_types"]), ("requires_payment_method", ["card"]))

    def test_a_customers_balance_was_called_account_balance(self):
        customer = call("POST", "/v1/customers", "2019-09-09", {"name": "A"})
        self.assertIn("account_balance", customer)
        self.assertNotIn("balance", customer)
        self.assertIn("balance", call("GET", f"/v1/customers/{customer['id']}", "2019-10-17"))

    def test_until_2022_08_01_charges_and_refunds_are_included(self):
        intent = pay("2022-08-01")
        charge = intent["charges"]["data"][0]
        self.assertEqual((intent["charges"]["object"], charge["refunds"]["object"]), ("list", "list"))
        self.assertEqual(charge["id"], intent["latest_charge"])
        call("POST", "/v1/refunds", "2022-08-01", {"charge": charge["id"], "amount": 500})
        charge = call("GET", f"/v1/charges/{charge['id']}", "2022-08-01")
        self.assertEqual([refund["amount"] for refund in charge["refunds"]["data"]], [500])
        newer = call("GET", f"/v1/payment_intents/{intent['id']}", "2022-11-15")
        self.assertNotIn("charges", newer)
        self.assertNotIn("refunds", call("GET", f"/v1/charges/{charge['id']}", "2022-11-15"))
        shown = call("GET", f"/v1/charges/{charge['id']}", "2022-11-15", {"expand[]": "refunds"})
        self.assertEqual(len(shown["refunds"]["data"]), 1)

    def test_defaults_follow_the_version(self):
        def made(version):
            intent = call("POST", "/v1/payment_intents", version, {"amount": 2000, "currency": "usd"})
            return intent["capture_method"], (intent["automatic_payment_methods"] or {}).get("enabled")
        self.assertEqual(made("2022-11-15"), ("automatic", None))
        self.assertEqual(made("2023-08-16"), ("automatic", True))
        self.assertEqual(made("2024-04-10"), ("automatic_async", True))

    def test_until_basil_what_a_capture_leaves_counts_as_refunded(self):
        intent = pay("2025-02-24.acacia", capture_method="manual")
        call("POST", f"/v1/payment_intents/{intent['id']}/capture", "2025-02-24.acacia", {"amount_to_capture": 1500})
        charge = f"/v1/charges/{intent['latest_charge']}"
        old, new = call("GET", charge, "2025-02-24.acacia"), call("GET", charge, "2025-03-31.basil")
        self.assertEqual((old["amount_captured"], old["amount_refunded"], new["amount_refunded"]), (1500, 500, 0))
        self.assertIn("invoice", old)
        self.assertNotIn("invoice", new)

    def test_until_basil_a_list_says_how_long_it_is(self):
        for number in range(3):
            call("POST", "/v1/customers", NEWEST, {"email": "counted@example.com", "name": str(number)})
        listed = call("GET", "/v1/customers", "2024-06-20",
                      {"limit": 1, "email": "counted@example.com", "expand[]": "total_count"})
        self.assertEqual((listed["total_count"], len(listed["data"]), listed["has_more"]), (3, 1, True))
        self.assertNotIn("total_count", call("GET", "/v1/customers", "2024-06-20", {"limit": 1}))
        error = call("GET", "/v1/customers", "2025-03-31.basil", {"expand[]": "total_count"}, 400)["error"]
        self.assertEqual(error["message"], "This property cannot be included (total_count)")

    def test_a_body_of_an_old_version_is_printed_like_any_other(self):
        intent = pay("2018-02-28")
        answer = requests.get(f"{server.api}/v1/payment_intents/{intent['id']}", auth=(KEY, ""),
                              headers={"Stripe-Version": "2018-02-28"}, timeout=30)
        lines = answer.text.splitlines()
        self.assertEqual(lines[:1] + lines[2:3], ["{", '  "object": "payment_intent",'])
        names = [line.strip().split('"')[1] for line in lines if line.startswith('  "')][2:]
        self.assertEqual(names, sorted(names))


if __name__ == "__main__":
    unittest.main()
