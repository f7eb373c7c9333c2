"""Receipts of charges, with the official Python SDK. Run by tests/run."""

import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import stripe
from server import Server

# How long a debit may take; the test bank takes about a second.
PATIENCE_SECONDS = 30
KEY = "sk_test_pythonreceipts0123456789a"


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def client():
    return stripe.StripeClient(KEY, base_addresses={"api": server.api}, max_network_retries=0).v1


def pay(**params):
    return client().payment_intents.create({
        "amount": 2550, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True,
        "payment_method_types": ["card"], "expand": ["latest_charge"], **params}).latest_charge


def fetch(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()


class Receipts(unittest.TestCase):
    def test_whoever_has_the_address_reads_what_was_paid(self):
        charge = pay(description="Tea & <i>cake</i>", receipt_email="jenny@example.com")
        self.assertTrue(charge.receipt_url.startswith(server.api + "/receipts/"))
        self.assertIsNone(charge.receipt_number)
        self.assertEqual(charge.receipt_email, "jenny@example.com")
        page = fetch(charge.receipt_url)
        for part in ["$25.50 USD", "Visa ending in 4242", "Tea &amp; &lt;i&gt;cake&lt;/i&gt;", charge.id]:
            self.assertIn(part, page)
        self.assertNotIn("Refund", page)
        client().refunds.create({"charge": charge.id, "amount": 550})
        self.assertIn("$5.50 USD", fetch(charge.receipt_url))

    def test_it_is_in_events_and_lists_and_stays_the_same(self):
        charge = pay()
        self.assertEqual(client().charges.retrieve(charge.id).receipt_url, charge.receipt_url)
        event, = [event for event in client().events.list({"type": "charge.succeeded"}).data
                  if event.data.object.id == charge.id]
        self.assertEqual(event.data.object.receipt_url, charge.receipt_url)

    def test_what_failed_has_none_and_another_address_leads_nowhere(self):
        with self.assertRaises(stripe.CardError) as refused:
            pay(payment_method="pm_card_visa_chargeDeclined")
        failed = client().charges.retrieve(refused.exception.error.payment_intent.latest_charge)
        self.assertIsNone(failed.receipt_url)
        head, _, seal = pay().receipt_url.rpartition(".")
        for wrong in [f"{head}.{seal[::-1]}", head]:
            with self.assertRaises(urllib.error.HTTPError) as answer:
                fetch(wrong)
            with answer.exception:
                self.assertEqual(answer.exception.code, 404)

    def test_a_debit_has_one_when_the_bank_has_paid(self):
        api = client()
        intent = api.payment_intents.create({
            "amount": 4000, "currency": "usd", "payment_method": "pm_usBankAccount_success", "confirm": True,
            "payment_method_types": ["us_bank_account"], "expand": ["latest_charge"],
            "mandate_data": {"customer_acceptance": {"type": "offline"}}})
        self.assertEqual(intent.status, "processing")
        self.assertIsNone(intent.latest_charge.receipt_url)
        limit = time.monotonic() + PATIENCE_SECONDS
        while intent.status == "processing":
            self.assertLess(time.monotonic(), limit, "the bank does not answer")
            time.sleep(0.05)
            intent = api.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
        self.assertEqual(intent.status, "succeeded")
        page = fetch(intent.latest_charge.receipt_url)
        for part in ["Bank account ending in 6789", "$40.00 USD", intent.latest_charge.id]:
            self.assertIn(part, page)

    def test_it_is_there_after_a_restart(self):
        charge = pay()
        path = urllib.parse.urlparse(charge.receipt_url).path
        server.restart()
        self.assertIn(charge.id, fetch(server.api + path))


if __name__ == "__main__":
    unittest.main()
