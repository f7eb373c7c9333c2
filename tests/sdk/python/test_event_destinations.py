"""Event destinations and thin events, the second version of the API, through the official Python SDK. Run by tests/run."""

import http.server
import json
import threading
import unittest

import stripe
from server import Server

KEY = "sk_test_pythondestinations0123456789ab"
URL = "http://127.0.0.1:9/hooks"
INCLUDE = ["webhook_endpoint.url", "webhook_endpoint.signing_secret"]


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def client(key=KEY):
    return stripe.StripeClient(key, base_addresses={"api": server.api}, max_network_retries=0)


def destinations(key=KEY):
    return client(key).v2.core.event_destinations


def thin(**more):
    return {"name": "orders", "type": "webhook_endpoint", "event_payload": "thin", "enabled_events": ["v1.charge.succeeded"],
            "webhook_endpoint": {"url": URL}, **more}


class Heard:
    """A receiver that takes everything and keeps it, with its signature."""

    def __init__(self):
        kept = self.kept = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                kept.append((body, self.headers["stripe-signature"]))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"

    def take(self):
        self.server.shutdown()
        self.server.server_close()
        return self.kept


class EventDestinations(unittest.TestCase):
    def test_a_destination_lives(self):
        made = destinations().create(thin(description="mine", metadata={"shop": "7", "till": "2"}, include=INCLUDE))
        self.assertTrue(made.id.startswith("ed_"))
        self.assertEqual(
            (made.object, made.name, made.description, made.type, made.event_payload, made.status, made.livemode),
            ("v2.core.event_destination", "orders", "mine", "webhook_endpoint", "thin", "enabled", False))
        self.assertEqual((made.enabled_events, made.events_from), (["v1.charge.succeeded"], ["@self"]))
        self.assertEqual((made.snapshot_api_version, made.status_details), (None, None))
        self.assertEqual(made.webhook_endpoint.url, URL)
        self.assertRegex(made.webhook_endpoint.signing_secret, r"^whsec_[0-9A-Za-z]{32}$")
        self.assertRegex(made.created, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        seen = destinations().retrieve(made.id)
        self.assertEqual((seen.webhook_endpoint.url, seen.webhook_endpoint.signing_secret), (None, None))
        seen = destinations().retrieve(made.id, {"include": ["webhook_endpoint.url"]})
        self.assertEqual((seen.webhook_endpoint.url, seen.webhook_endpoint.signing_secret), (URL, None))
        changed = destinations().update(made.id, {"name": "all", "enabled_events": ["*"], "metadata": {"till": None}})
        self.assertEqual((changed.name, changed.enabled_events, changed.metadata.to_dict()), ("all", ["*"], {"shop": "7"}))
        self.assertGreaterEqual(changed.updated, made.created)
        off = destinations().disable(made.id)
        self.assertEqual((off.status, off.status_details.disabled.reason), ("disabled", "user"))
        self.assertEqual(destinations().enable(made.id).status, "enabled")
        self.assertEqual(destinations().delete(made.id).id, made.id)
        with self.assertRaises(stripe.InvalidRequestError) as gone:
            destinations().retrieve(made.id)
        self.assertEqual((gone.exception.http_status, gone.exception.code), (404, "not_found"))

    def test_endpoints_of_both_versions_are_the_same(self):
        key = "sk_test_pythondestinationsboth0123456"
        v1 = client(key).v1.webhook_endpoints
        older = v1.create({"url": URL, "enabled_events": ["charge.failed"], "api_version": "2024-06-20"})
        snapshot = destinations(key).create(thin(event_payload="snapshot", enabled_events=["charge.failed"]))
        slim = destinations(key).create(thin())
        page = destinations(key).list({"limit": 2})
        self.assertEqual([one.id for one in page.data], [slim.id, snapshot.id])
        self.assertTrue(page.next_page_url.startswith("/v2/core/event_destinations?limit=2&page=ed_"))
        self.assertEqual([one.id for one in page.auto_paging_iter()], [slim.id, snapshot.id, older.id])
        seen = destinations(key).retrieve(older.id)
        self.assertEqual((seen.event_payload, seen.snapshot_api_version), ("snapshot", "2024-06-20"))
        self.assertEqual([one.id for one in v1.list().data], [snapshot.id, older.id])
        self.assertEqual(v1.retrieve(snapshot.id).url, URL)
        with self.assertRaises(stripe.InvalidRequestError):
            v1.retrieve(slim.id)

    def test_a_key_that_is_used_again_is_answered_the_same(self):
        once = lambda: destinations().create(thin(include=INCLUDE), {"idempotency_key": "destination"})
        first, again = once(), once()
        self.assertEqual((again.id, again.webhook_endpoint.signing_secret), (first.id, first.webhook_endpoint.signing_secret))
        with self.assertRaises(stripe.StripeError) as other:
            destinations().create(thin(name="other"), {"idempotency_key": "destination"})
        self.assertIsInstance(other.exception, stripe.IdempotencyError)
        self.assertEqual((other.exception.http_status, other.exception.code), (400, "idempotency_error"))

    def test_what_is_wrong_is_named(self):
        for wrong, param in [
            (thin(type="amazon_eventbridge"), "type"),
            (thin(enabled_events=["charge.succeeded"]), "enabled_events[0]"),
            (thin(event_payload="snapshot"), "enabled_events[0]"),
            (thin(event_payload="fat"), "event_payload"),
            (thin(events_from=["@accounts"]), "events_from"),
            (thin(events_from=["self", "other_accounts"]), "events_from"),
            (thin(snapshot_api_version="2024-06-20"), "snapshot_api_version"),
            (thin(webhook_endpoint={"url": "https://10.0.0.1/"}), "webhook_endpoint[url]"),
            (thin(webhook_endpoint={}), "webhook_endpoint[url]"),
        ]:
            with self.assertRaises(stripe.InvalidRequestError) as refused:
                destinations().create(wrong)
            self.assertEqual((refused.exception.http_status, refused.exception.json_body["error"]["param"]), (400, param))
            self.assertIn(refused.exception.code, ("invalid_fields", "url_invalid"))
        for refuse, wanted in [
            (lambda: destinations().retrieve("ed_nobody"), (stripe.InvalidRequestError, 404, "not_found")),
            (lambda: destinations("sk_nothing").list(), (stripe.AuthenticationError, 401, "invalid_request_error")),
            (lambda: client().raw_request("get", "/v2/core/nothing"), (stripe.InvalidRequestError, 404, "not_found")),
            (lambda: client().v2.core.events.list({"created": {"gt": "yesterday"}}), (stripe.InvalidRequestError, 400, "invalid_fields")),
        ]:
            with self.assertRaises(stripe.StripeError) as refused:
                refuse()
            error = refused.exception.json_body["error"]
            self.assertEqual((type(refused.exception), refused.exception.http_status, error["code"]), wanted)
            self.assertTrue(error["message"])
            self.assertFalse({"doc_url", "request_log_url"} & set(error), error)

    def test_a_destination_is_pinged(self):
        key = "sk_test_pythondestinationsping0123456"
        heard = Heard()
        made = destinations(key).create(thin(webhook_endpoint={"url": heard.url}, include=INCLUDE))
        event = destinations(key).ping(made.id, options={"idempotency_key": "ping"})
        self.assertEqual((event.object, event.type, event.livemode), ("v2.core.event", "v2.core.event_destination.ping", False))
        self.assertEqual(event["related_object"].to_dict(), {
            "id": made.id, "type": "v2.core.event_destination", "url": f"/v2/core/event_destinations/{made.id}"})
        self.assertEqual(destinations(key).ping(made.id, options={"idempotency_key": "ping"}).id, event.id)
        (body, signature), = heard.take()
        told = client(key).parse_event_notification(body, signature, made.webhook_endpoint.signing_secret)
        self.assertEqual((told.id, told.type), (event.id, event.type))
        self.assertEqual(told.fetch_related_object().id, made.id)
        attempts = client(key).raw_request("get", f"/v1/webhook_endpoints/{made.id}/attempts")
        self.assertEqual([one["cause"] for one in json.loads(attempts.body)["data"]], ["test"])
        with self.assertRaises(stripe.InvalidRequestError) as gone:
            destinations(key).ping("ed_nobody")
        self.assertEqual(gone.exception.code, "not_found")


class ThinEvents(unittest.TestCase):
    def test_an_event_says_where_its_object_is(self):
        intent = client().v1.payment_intents.create({
            "amount": 700, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}, {"idempotency_key": "thin"})
        found = client().v1.events.list({"type": "charge.succeeded"}).data[0]
        event = client().v2.core.events.retrieve(found.id)
        self.assertEqual((event.object, event.type, event.id), ("v2.core.event", "v1.charge.succeeded", found.id))
        self.assertEqual(event.snapshot_event, found.id)
        self.assertEqual(event.reason.request.idempotency_key, "thin")
        related = event["related_object"]
        self.assertEqual((related.id, related.type, related.url),
                         (intent.latest_charge, "charge", f"/v1/charges/{intent.latest_charge}"))
        answer = client().raw_request("get", related.url)
        self.assertEqual(json.loads(answer.body)["id"], intent.latest_charge)
        listed = client().v2.core.events.list({"object_id": intent.id, "limit": 1})
        self.assertEqual([one.type for one in listed.auto_paging_iter()],
                         ["v1.payment_intent.succeeded", "v1.payment_intent.created"])
        created = event.created
        at = lambda **range: [one.type for one in client().v2.core.events.list(
            {"object_id": intent.latest_charge, "limit": 1, "created": range}).auto_paging_iter()]
        everything = at(gte="2020-01-01T00:00:00Z")
        self.assertEqual(everything, ["v1.charge.succeeded"])
        self.assertEqual((at(gte=created), at(lte=created), at(gt=created), at(lt=created)), (everything, everything, [], []))
        both = client().v2.core.events.list({"limit": 1, "object_id": intent.id, "created": {"lte": created, "gte": created}})
        self.assertIn("created[gte]=" + created, both.next_page_url)
        self.assertEqual(len(list(both.auto_paging_iter())), 2)
        chosen = client().v2.core.events.list({"types": ["v1.payment_intent.created", "v1.charge.succeeded"], "limit": 1})
        self.assertEqual([one.type for one in chosen.auto_paging_iter()], ["v1.charge.succeeded", "v1.payment_intent.created"])


if __name__ == "__main__":
    unittest.main()
