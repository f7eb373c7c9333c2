"""Deliveries of webhooks, verified by the official Python SDK: snapshots and thin events, also while a secret is being rolled. Run by
tests/run."""

import base64
import hmac
import http.server
import json
import queue
import threading
import unittest

import stripe
from server import Server

KEY = "sk_test_pythonsignatures0123456789abcd"
PATIENCE_S = 30


class Receiver:
    """Takes deliveries on a free port and answers 200."""

    def __init__(self):
        deliveries = self.deliveries = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                deliveries.put((self.headers, body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/hooks"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def take(self):
        return self.deliveries.get(timeout=PATIENCE_S)

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def client():
    return stripe.StripeClient(KEY, base_addresses={"api": server.api}, max_network_retries=0)


class Signatures(unittest.TestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def endpoint(self, **params):
        made = client().v1.webhook_endpoints.create({"url": self.receiver.url, **params})
        self.addCleanup(client().v1.webhook_endpoints.delete, made.id)
        return made

    def opens(self, headers, body, secret):
        try:
            return stripe.Webhook.construct_event(body, headers["stripe-signature"], secret)
        except stripe.SignatureVerificationError:
            return None

    def test_a_delivery_is_verified_and_says_what_a_look_says(self):
        made = self.endpoint(enabled_events=["customer.created", "customer.deleted"])
        customer = client().v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "signed"})
        headers, body = self.receiver.take()
        event = self.opens(headers, body, made.secret)
        self.assertIsNotNone(event, "the signature is verified")
        self.assertEqual((event.type, event.data.object.id, event.request.idempotency_key), ("customer.created", customer.id, "signed"))
        self.assertEqual(event.pending_webhooks, 1)
        self.assertIsNone(self.opens(headers, body + b" ", made.secret), "a changed body is not")
        self.assertIsNone(self.opens(headers, body, "whsec_" + "a" * 32), "another secret opens nothing")
        seen = json.loads(client().raw_request("get", f"/v1/events/{event.id}").body)
        told = json.loads(body)
        self.assertEqual({**told, "pending_webhooks": 0}, {**seen, "pending_webhooks": 0})
        # What is not asked for is left out: behind it comes what is, in the order of the events about the customer.
        client().v1.customers.update(customer.id, {"name": "not asked for"})
        client().v1.customers.delete(customer.id)
        headers, body = self.receiver.take()
        self.assertEqual(self.opens(headers, body, made.secret).type, "customer.deleted")

    def test_the_endpoints_version_is_the_events(self):
        made = self.endpoint(enabled_events=["charge.succeeded"], api_version="2022-08-01")
        client().v1.payment_intents.create({
            "amount": 700, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}})
        headers, body = self.receiver.take()
        event = self.opens(headers, body, made.secret)
        self.assertEqual(event.api_version, "2022-08-01")
        # Since 2022-11-15 a charge shows its refunds only when asked.
        self.assertIn("refunds", json.loads(body)["data"]["object"])

    def test_both_secrets_sign_while_one_is_rolled(self):
        made = self.endpoint(enabled_events=["customer.created"])

        def roll(**params):
            answer = client().raw_request("post", f"/v1/webhook_endpoints/{made.id}/roll_secret", **params)
            return client().deserialize(answer, api_mode="V1").secret

        def next_delivery():
            client().v1.customers.create({"email": "b@example.com"})
            return self.receiver.take()

        second = roll(expires_in=3600)
        delivery = next_delivery()
        self.assertIsNotNone(self.opens(*delivery, made.secret), "the older one goes on")
        self.assertIsNotNone(self.opens(*delivery, second))
        third = roll(expires_in=0)
        delivery = next_delivery()
        self.assertIsNone(self.opens(*delivery, made.secret), "the older ones have ended")
        self.assertIsNone(self.opens(*delivery, second))
        self.assertIsNotNone(self.opens(*delivery, third))

    def test_a_thin_event_leads_to_its_object(self):
        made = client().v2.core.event_destinations.create({
            "name": "thin", "type": "webhook_endpoint", "event_payload": "thin", "enabled_events": ["v1.customer.created"],
            "webhook_endpoint": {"url": self.receiver.url}, "include": ["webhook_endpoint.signing_secret"]})
        self.addCleanup(client().v2.core.event_destinations.delete, made.id)
        customer = client().v1.customers.create({"email": "c@example.com"})
        headers, body = self.receiver.take()
        told = client().parse_event_notification(body, headers["stripe-signature"], made.webhook_endpoint.signing_secret)
        self.assertEqual(told.type, "v1.customer.created")
        self.assertNotIn("data", json.loads(body))
        event = client().v2.core.events.retrieve(told.id)
        self.assertEqual(event["related_object"].id, customer.id)
        found = client().raw_request("get", event["related_object"].url)
        self.assertEqual(json.loads(found.body)["email"], "c@example.com")

    def test_the_headers_of_standard_webhooks_are_sent_where_asked_for(self):
        made = self.endpoint(enabled_events=["customer.created"], delivery={"standard_headers": True})
        client().v1.customers.create({"email": "d@example.com"})
        headers, body = self.receiver.take()
        self.assertIsNotNone(self.opens(headers, body, made.secret))
        # As the convention has it: the key is what the secret stands for behind its prefix.
        key = base64.b64decode(made.secret.removeprefix("whsec_"))
        signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
        expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        self.assertEqual(headers["webhook-signature"], f"v1,{expected}")
        self.assertEqual(headers["webhook-id"], json.loads(body)["id"])


if __name__ == "__main__":
    unittest.main()
