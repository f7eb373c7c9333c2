"""Webhook endpoints through the official Python SDK: their whole life, their secrets, what is refused. Run by tests/run."""

import signal
import unittest

import stripe
from server import Server

KEY = "sk_test_pythonwebhooks0123456789abcdef"
# An address of the documentation's kind that no resolver is asked about.
URL = "http://127.0.0.1:9/hooks"
SECRET = r"^whsec_[0-9A-Za-z]{32}$"


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def client(key=KEY):
    return stripe.StripeClient(key, base_addresses={"api": server.api}, max_network_retries=0)


def endpoints(key=KEY):
    return client(key).v1.webhook_endpoints


class WebhookEndpoints(unittest.TestCase):
    def refused(self, ask):
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            ask()
        return refused.exception

    def test_an_endpoint_lives(self):
        made = endpoints().create({
            "url": URL, "enabled_events": ["charge.succeeded", "payment_intent.succeeded"], "description": "orders",
            "api_version": "2024-06-20", "metadata": {"shop": "7"},
        })
        self.assertTrue(made.id.startswith("we_"))
        self.assertRegex(made.secret, SECRET)
        self.assertEqual(
            (made.object, made.url, made.status, made.livemode, made.api_version, made.application, made.description),
            ("webhook_endpoint", URL, "enabled", False, "2024-06-20", None, "orders"))
        self.assertEqual(made.enabled_events, ["charge.succeeded", "payment_intent.succeeded"])
        self.assertEqual(set(made.to_dict()), {
            "id", "object", "api_version", "application", "created", "description", "enabled_events", "livemode", "metadata",
            "secret", "status", "url"})
        seen = endpoints().retrieve(made.id)
        self.assertFalse(hasattr(seen, "secret"), "a look shows no secret")
        changed = endpoints().update(made.id, {"enabled_events": ["*"], "disabled": True, "metadata": {"shop": ""}})
        self.assertEqual((changed.enabled_events, changed.status, changed.metadata.to_dict()), (["*"], "disabled", {}))
        self.assertFalse(hasattr(changed, "secret"))
        self.assertEqual(endpoints().update(made.id, {"disabled": False, "description": ""}).status, "enabled")
        other = endpoints().create({"url": URL, "enabled_events": ["*"]})
        self.assertIsNone(other.api_version)
        listed = endpoints().list({"limit": 1})
        self.assertEqual(([one.id for one in listed.data], listed.has_more, listed.url), ([other.id], True, "/v1/webhook_endpoints"))
        self.assertEqual([one.id for one in listed.auto_paging_iter()][:2], [other.id, made.id])
        self.assertFalse(any(hasattr(one, "secret") for one in listed.data))
        self.assertTrue(endpoints().delete(other.id).deleted)
        gone = self.refused(lambda: endpoints().retrieve(other.id))
        self.assertEqual((gone.http_status, gone.code, str(gone.user_message)),
                         (404, "resource_missing", f"No such webhook endpoint: '{other.id}'"))
        self.assertEqual(client("sk_test_pythonwebhooksothers0123456789").v1.webhook_endpoints.list().data, [])

    def test_a_key_that_is_used_again_is_answered_with_the_same_secret(self):
        once = lambda: endpoints().create({"url": URL, "enabled_events": ["*"]}, {"idempotency_key": "once"})
        first = once()
        self.assertRegex(first.secret, SECRET)
        server.restart(signal.SIGKILL)
        again = once()
        self.assertEqual((again.id, again.secret), (first.id, first.secret))
        self.assertEqual(again.last_response.body, first.last_response.body)
        endpoints().delete(first.id)

    def test_a_secret_is_rolled(self):
        made = endpoints().create({"url": URL, "enabled_events": ["*"]})
        def roll(**params):
            answer = client().raw_request("post", f"/v1/webhook_endpoints/{made.id}/roll_secret", **params)
            return client().deserialize(answer, api_mode="V1")

        rolled = roll()
        self.assertEqual(rolled.id, made.id)
        self.assertRegex(rolled.secret, SECRET)
        self.assertNotEqual(rolled.secret, made.secret)
        self.assertFalse(hasattr(endpoints().retrieve(made.id), "secret"))
        roll(expires_in=0)
        self.assertEqual(self.refused(lambda: roll(expires_in=604801)).param, "expires_in")
        endpoints().delete(made.id)

    def test_how_events_are_sent_is_ours(self):
        made = endpoints().create({"url": URL, "enabled_events": ["charge.*"], "delivery": {
            "order": "strict", "timeout_ms": 2000, "retry_delays": [5, 60], "standard_headers": True}})
        self.assertEqual(made.delivery.to_dict(), {
            "order": "strict", "rate_per_second": None, "retry_delays": [5, 60], "standard_headers": True, "timeout_ms": 2000})
        long = self.refused(lambda: endpoints().update(made.id, {"delivery": {"retry_delays": [604800, 1]}}))
        self.assertEqual(long.param, "delivery[retry_delays]")
        endpoints().delete(made.id)

    def test_what_is_wrong_is_named(self):
        create = lambda **params: lambda: endpoints().create({"url": URL, "enabled_events": ["*"], **params})
        for wrong, param, message in [
            (create(url="shop.example"), "url", "Invalid URL: An explicit scheme (such as https) must be provided."),
            (create(url="ftp://shop.example"), "url", "Invalid URL: The scheme must be http or https."),
            (create(url="https://10.0.0.1/"), "url", "Invalid URL: "),
            (create(url="https://169.254.169.254/"), "url", "Invalid URL: "),
            (create(url="https://[::ffff:10.0.0.1]/"), "url", "Invalid URL: "),
            (create(url="https://u:p@shop.example/"), "url", "Invalid URL: "),
            (create(enabled_events=["charge.succeeded", "charge.exploded"]), "enabled_events[1]", "Invalid enabled_events[1]: must be one of *, "),
            (create(api_version="2020-01-01"), "api_version", "Invalid api_version: must be one of "),
            (create(delivery={"timeout_ms": 99}), "delivery[timeout_ms]", "This value must be greater than or equal to 1000."),
            (lambda: endpoints().create({"enabled_events": ["*"]}), "url", "Missing required param: url."),
            (lambda: endpoints().create({"url": URL}), "enabled_events", "Missing required param: enabled_events."),
        ]:
            refused = self.refused(wrong)
            self.assertEqual((refused.http_status, refused.param), (400, param))
            self.assertTrue(str(refused.user_message).startswith(message), refused.user_message)

    def test_an_account_has_sixteen_in_a_mode(self):
        mine = endpoints("sk_test_pythonwebhooksmany0123456789abc")
        for _ in range(16):
            mine.create({"url": URL, "enabled_events": ["*"]})
        refused = self.refused(lambda: mine.create({"url": URL, "enabled_events": ["*"]}))
        self.assertEqual(str(refused.user_message), "You have reached the maximum of 16 test webhook endpoints.")
        self.assertEqual(len(mine.list({"limit": 100}).data), 16)


if __name__ == "__main__":
    unittest.main()
