"""What each kind of API key may do, with the official SDK: publishable, restricted, rolled, revoked and ephemeral keys."""

import json
import subprocess
import unittest
import urllib.request

import stripe
from server import BINARY, Server

SECRET = "sk_test_pythonkeys0123456789abcdefgh"
PUBLISHABLE = "pk_test_pythonkeys0123456789abcdefgh"
OTHER_PUBLISHABLE = "pk_test_otherkeys0123456789abcdefghi"


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def client(key=SECRET, **options):
    return stripe.StripeClient(key, base_addresses={"api": server.api}, max_network_retries=0, **options)


def command(*arguments):
    """Runs `tollgate account …` against the running server; its JSON answer."""
    ran = subprocess.run([BINARY, "account", *arguments, "--admin", server.admin, "--json"],
                         capture_output=True, text=True, timeout=60, check=True)
    return json.loads(ran.stdout)


def own_account(key=SECRET):
    """The account that a key opens."""
    return client(key).v1.accounts.retrieve_current().id


class PublishableKeys(unittest.TestCase):
    def test_a_browser_makes_a_payment_method_and_confirms_with_the_client_secret(self):
        intent = client().v1.payment_intents.create({"amount": 1200, "currency": "usd", "metadata": {"order": "7"}})
        browser = client(PUBLISHABLE).v1
        method = browser.payment_methods.create({"type": "card", "card": {
            "number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}})
        self.assertEqual((method.card.last4, "fingerprint" in method.card), ("4242", False))

        seen = browser.payment_intents.retrieve(intent.id, {"client_secret": intent.client_secret})
        self.assertEqual((seen.status, seen.amount), ("requires_payment_method", 1200))
        for hidden in ("customer", "metadata", "latest_charge"):
            self.assertNotIn(hidden, seen)

        confirmed = browser.payment_intents.confirm(
            intent.id, {"client_secret": intent.client_secret, "payment_method": method.id,
                        "return_url": "https://example.com/done"})
        self.assertEqual(confirmed.status, "succeeded")
        self.assertEqual(client().v1.payment_intents.retrieve(intent.id).metadata["order"], "7")

    def test_the_client_secret_must_be_there_right_and_of_the_same_account(self):
        intent = client().v1.payment_intents.create({"amount": 1200, "currency": "usd"})
        other = client().v1.payment_intents.create({"amount": 1200, "currency": "usd"})
        for given, code, message in (
                ({}, "parameter_missing", "Missing required param: client_secret."),
                ({"client_secret": other.client_secret}, None, "does not match the client_secret associated with")):
            with self.assertRaises(stripe.InvalidRequestError) as refused:
                client(PUBLISHABLE).v1.payment_intents.retrieve(intent.id, given)
            self.assertEqual((refused.exception.code, refused.exception.param), (code, "client_secret"))
            self.assertIn(message, str(refused.exception))
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            client(OTHER_PUBLISHABLE).v1.payment_intents.retrieve(intent.id, {"client_secret": intent.client_secret})
        self.assertEqual((refused.exception.http_status, refused.exception.code), (404, "resource_missing"))

    def test_a_setup_intent_opens_to_its_secret(self):
        intent = client().v1.setup_intents.create({"payment_method_types": ["card"]})
        browser = client(PUBLISHABLE).v1.setup_intents
        done = browser.confirm(intent.id, {"client_secret": intent.client_secret, "payment_method": "pm_card_visa"})
        self.assertEqual(done.status, "succeeded")
        self.assertNotIn("metadata", done)
        with self.assertRaises(stripe.InvalidRequestError):
            browser.retrieve(intent.id, {"client_secret": "seti_1_secret_2"})

    def test_everything_else_is_refused(self):
        for call in (lambda v1: v1.payment_intents.list(), lambda v1: v1.balance.retrieve(),
                     lambda v1: v1.customers.create(), lambda v1: v1.refunds.create({"charge": "ch_1"})):
            with self.assertRaises(stripe.AuthenticationError) as refused:
                call(client(PUBLISHABLE).v1)
            self.assertEqual((refused.exception.http_status, refused.exception.error.code), (401, "secret_key_required"))
            self.assertIn("This API call cannot be made with a publishable API key.", str(refused.exception))


class RestrictedKeys(unittest.TestCase):
    def test_a_key_may_do_what_it_was_given_and_is_told_what_it_lacks(self):
        account = own_account()
        key = command("keys", "create", account, "--restricted", "--allow",
                      "payment_intents:write,charges:read")["secret"]
        self.assertTrue(key.startswith("rk_test_"))
        intent = client(key).v1.payment_intents.create(
            {"amount": 900, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True,
             "payment_method_types": ["card"]})
        self.assertEqual(client(key).v1.charges.retrieve(intent.latest_charge).amount, 900)
        for call, lacks in (
                (lambda v1: v1.refunds.create({"charge": intent.latest_charge}), "rak_refund_write"),
                (lambda v1: v1.charges.update(intent.latest_charge, {"description": "x"}), "rak_charge_write"),
                (lambda v1: v1.customers.list(), "rak_customer_read")):
            with self.assertRaises(stripe.PermissionError) as refused:
                call(client(key).v1)
            self.assertEqual(refused.exception.http_status, 403)
            self.assertIn(f"does not have the required permissions for this endpoint on account '{account}'. Having the "
                          f"'{lacks}' permission would allow this request to continue.", str(refused.exception))
            self.assertNotIn(key, str(refused.exception))
        listed = next(row for row in command("keys", "list", account)["keys"] if row["last4"] == key[-4:])
        self.assertEqual((listed["kind"], listed["permissions"]),
                         ("restricted", ["payment_intents:write", "charges:read"]))
        self.assertIsNotNone(listed["last_used"])


class RolledKeys(unittest.TestCase):
    def test_a_rolled_key_works_on_and_a_revoked_one_does_not(self):
        account = own_account("sk_test_pythonroll0123456789abcdefgh")
        old = command("keys", "create", account)["secret"]
        new = command("keys", "roll", old, "--expires-in", "24h")["secret"]
        for key in (old, new):
            self.assertEqual(client(key).v1.balance.retrieve().object, "balance")
        command("keys", "roll", old, "--expires-in", "0s")
        command("keys", "revoke", new)
        for key in (old, new):
            with self.assertRaises(stripe.AuthenticationError) as refused:
                client(key).v1.balance.retrieve()
            self.assertEqual((refused.exception.http_status, refused.exception.error.code), (401, "api_key_expired"))
            self.assertIn("Expired API Key provided: sk_test_", str(refused.exception))
        with self.assertRaises(stripe.AuthenticationError) as refused:
            client("sk_live_nobody0123456789abcdefghijkl").v1.balance.retrieve()
        self.assertIn("Invalid API Key provided: sk_live_", str(refused.exception))


class EphemeralKeys(unittest.TestCase):
    def test_an_app_looks_after_its_customer_only(self):
        own, other = (client().v1.customers.create({"name": name}) for name in ("Jenny", "Rosen"))
        made = client().v1.ephemeral_keys.create({"customer": own.id}, {"stripe_version": "2024-06-20"})
        app = client(made.secret).v1
        self.assertEqual(app.customers.retrieve(own.id).name, "Jenny")
        app.payment_methods.attach("pm_card_visa", {"customer": own.id})
        self.assertEqual(len(app.payment_methods.list({"customer": own.id, "type": "card"}).data), 1)
        with self.assertRaises(stripe.InvalidRequestError):
            app.customers.retrieve(other.id)
        with self.assertRaises(stripe.PermissionError):
            app.payment_intents.list()
        client().v1.ephemeral_keys.delete(made.id)
        with self.assertRaises(stripe.AuthenticationError):
            app.customers.retrieve(own.id)


class Accounts(unittest.TestCase):
    def test_a_foreign_account_is_refused_and_ones_own_is_not(self):
        account = own_account()
        self.assertEqual(client().v1.balance.retrieve(options={"stripe_account": account}).object, "balance")
        with self.assertRaises(stripe.PermissionError) as refused:
            client().v1.balance.retrieve(options={"stripe_account": "acct_1234"})
        self.assertEqual((refused.exception.http_status, refused.exception.error.code), (403, "account_invalid"))

    def test_settings_hold_from_the_next_request_on(self):
        key = "sk_test_pythonsettings0123456789c0de"
        account = own_account(key)
        changed = command("update", account, "--set", "default_currency=eur", "--set", "radar.block_zip_fail=true",
                          "--mode", "test")["accounts"]
        self.assertEqual([row["settings"]["default_currency"] for row in changed], ["eur"])
        self.assertTrue(changed[0]["settings"]["radar.block_zip_fail"])
        self.assertEqual([part.currency for part in client(key).v1.balance.retrieve().available], ["eur"])
        shown = command("show", account)["accounts"]
        self.assertEqual(shown, changed)

    def test_the_account_is_complete_and_says_what_its_business_says(self):
        key = "sk_test_pythonbusiness0123456789b051"
        account = own_account(key)
        shown = client(key).v1.accounts.retrieve_current()
        self.assertEqual((shown.charges_enabled, shown.payouts_enabled, shown.details_submitted), (True,) * 3)
        self.assertEqual((shown.controller.type, shown.type, shown.business_type), ("account", "standard", "company"))
        for asked in (shown.requirements, shown.future_requirements):
            self.assertEqual((asked.currently_due, asked.past_due, asked.disabled_reason), ([], [], None))
        self.assertEqual(list(shown.external_accounts.auto_paging_iter()), [])
        self.assertEqual((shown.capabilities.card_payments, shown.settings.dashboard.display_name), ("active", None))
        command("update", account, "--set", "business.name=Rocket Rides", "--set", "business.url=https://rides.example",
                "--set", "business.support_email=help@rides.example", "--set", "business.timezone=Europe/Berlin",
                "--mode", "test")
        shown = client(key).v1.accounts.retrieve(account)
        self.assertEqual((shown.settings.dashboard.display_name, shown.settings.dashboard.timezone),
                         ("Rocket Rides", "Europe/Berlin"))
        self.assertEqual((shown.business_profile.name, shown.business_profile.url, shown.business_profile.support_email),
                         ("Rocket Rides", "https://rides.example", "help@rides.example"))

    def test_limits_are_shown(self):
        with urllib.request.urlopen(f"{server.admin}/admin/limits") as answer:
            shown = json.load(answer)
        self.assertIn("POST /v1/payment_intents", next(
            row["endpoints"] for row in shown["classes"] if row["class"] == "write"))


if __name__ == "__main__":
    unittest.main()
