"""Configurations of payment methods and payments on other companies' pages, with the official Python SDK. Run by tests/run."""

import unittest
import urllib.error
import urllib.parse
import urllib.request

import stripe
from server import Server

KEY = "sk_test_pythonredirects0123456789"
BACK = "https://shop.example/back"


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def client(key=KEY):
    return stripe.StripeClient(key, base_addresses={"api": server.api}, max_network_retries=0).v1


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def act(url, outcome):
    """Presses a button of the test page, as a browser would; returns the page and where it leads."""
    with urllib.request.urlopen(url) as answer:
        page = answer.read().decode()
    request = urllib.request.Request(url, data=f"outcome={outcome}".encode())
    try:
        urllib.request.build_opener(NoRedirect).open(request).close()
    except urllib.error.HTTPError as redirect:
        with redirect:
            return page, redirect.headers["Location"]
    raise AssertionError("the page leads nowhere")


def pay(kind="ideal", currency="eur", **params):
    return client().payment_intents.create({
        "amount": 5000, "currency": currency, "payment_method_types": [kind], "payment_method_data": {"type": kind},
        "confirm": True, "return_url": BACK, **params})


class Configurations(unittest.TestCase):
    def test_the_default_one_is_cards_and_others_are_made(self):
        api = client("sk_test_pythonconfigurations01234")
        default, = api.payment_method_configurations.list().data
        self.assertEqual((default.is_default, default.active, default.livemode), (True, True, False))
        self.assertEqual((default.card.available, default.card.display_preference.value), (True, "on"))
        self.assertEqual(default.ideal.display_preference.value, "off")
        intent = api.payment_intents.create({"amount": 2000, "currency": "eur"})
        self.assertEqual(intent.payment_method_configuration_details.id, default.id)
        self.assertEqual(intent.payment_method_types, ["card"])

        europe = api.payment_method_configurations.create(
            {"name": "Europe", "ideal": {"display_preference": {"preference": "on"}}})
        self.assertEqual((europe.name, europe.is_default, europe.ideal.display_preference.preference), ("Europe", False, "on"))
        self.assertEqual([one.id for one in api.payment_method_configurations.list().auto_paging_iter()], [europe.id, default.id])
        self.assertEqual([one.id for one in api.payment_method_configurations.list({"limit": 1}).data], [europe.id])
        self.assertEqual(api.payment_method_configurations.retrieve(default.id).name, "Default")
        params = {"amount": 2000, "payment_method_configuration": europe.id}
        self.assertEqual(api.payment_intents.create({**params, "currency": "eur"}).payment_method_types, ["card", "ideal"])
        self.assertEqual(api.payment_intents.create({**params, "currency": "usd"}).payment_method_types, ["card"])

    def test_with_redirects_on_a_way_back_must_be_given(self):
        api = client("sk_test_pythonwaysback0123456789a")
        default, = api.payment_method_configurations.list().data
        changed = api.payment_method_configurations.update(
            default.id, {"klarna": {"display_preference": {"preference": "on"}}})
        self.assertEqual((changed.id, changed.is_default, changed.klarna.display_preference.value), (default.id, True, "on"))
        intent = api.payment_intents.create({"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa"})
        self.assertEqual(intent.payment_method_types, ["card", "klarna"])
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            api.payment_intents.confirm(intent.id)
        self.assertIn("you must provide a `return_url`", refused.exception.user_message)
        self.assertIsNone(refused.exception.code)
        self.assertEqual(refused.exception.error.payment_intent.id, intent.id)
        self.assertEqual(api.payment_intents.confirm(intent.id, {"return_url": BACK}).status, "succeeded")
        never = {"enabled": True, "allow_redirects": "never"}
        for params in ({"automatic_payment_methods": never}, {"payment_method_types": ["card"]}):
            paid = api.payment_intents.create(
                {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True, **params})
            self.assertEqual(paid.status, "succeeded")


class Redirects(unittest.TestCase):
    def test_a_payer_agrees_on_the_bank_s_page(self):
        intent = pay(payment_method_data={"type": "ideal", "ideal": {"bank": "ing"}})
        action = intent.next_action
        self.assertEqual((intent.status, action.type), ("requires_action", "redirect_to_url"))
        self.assertEqual(action.redirect_to_url.return_url, BACK)
        page, address = act(action.redirect_to_url.url, "complete")
        self.assertIn("Authorize test payment", page)
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        self.assertEqual(query, {"payment_intent": intent.id, "payment_intent_client_secret": intent.client_secret,
                                 "redirect_status": "succeeded"})
        paid = client().payment_intents.retrieve(intent.id, {"expand": ["latest_charge.balance_transaction", "payment_method"]})
        self.assertEqual((paid.status, paid.amount_received, paid.next_action), ("succeeded", 5000, None))
        self.assertEqual((paid.payment_method.type, paid.payment_method.ideal.bank), ("ideal", "ing"))
        charge = paid.latest_charge
        self.assertEqual((charge.payment_method_details.type, charge.payment_method_details.ideal.bank), ("ideal", "ing"))
        self.assertEqual(charge.balance_transaction.amount, 5000)
        refund = client().refunds.create({"payment_intent": intent.id})
        self.assertEqual((refund.status, refund.amount), ("succeeded", 5000))

    def test_a_payer_does_not_agree(self):
        intent = pay("affirm", "usd")
        _, address = act(intent.next_action.redirect_to_url.url, "fail")
        self.assertTrue(address.endswith("redirect_status=failed"))
        failed = client().payment_intents.retrieve(intent.id)
        self.assertEqual((failed.status, failed.latest_charge), ("requires_payment_method", None))
        self.assertEqual(failed.last_payment_error.code, "payment_intent_authentication_failure")
        self.assertEqual(failed.last_payment_error.payment_method.type, "affirm")

    def test_every_type_is_paid_by(self):
        billing = {"billing_details": {"name": "Jenny", "email": "jenny@example.com"}}
        for kind, currency in (("affirm", "usd"), ("afterpay_clearpay", "usd"), ("alipay", "usd"), ("amazon_pay", "usd"),
                               ("bancontact", "eur"), ("eps", "eur"), ("ideal", "eur"), ("klarna", "usd"), ("p24", "pln"),
                               ("paypal", "eur"), ("revolut_pay", "gbp")):
            with self.subTest(kind):
                method = client().payment_methods.create({"type": kind, **billing})
                self.assertEqual((method.type, kind in method), (kind, True))
                intent = client().payment_intents.create({
                    "amount": 5000, "currency": currency, "payment_method_types": [kind], "payment_method": method.id,
                    "confirm": True, "return_url": BACK})
                act(intent.next_action[intent.next_action.type].url, "complete")
                paid = client().payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
                self.assertEqual((paid.status, paid.latest_charge.payment_method_details.type), ("succeeded", kind))
                self.assertIn(kind, paid.latest_charge.payment_method_details)

    def test_a_hold_is_captured(self):
        intent = pay("klarna", "usd", capture_method="manual")
        act(intent.next_action.redirect_to_url.url, "complete")
        self.assertEqual(client().payment_intents.retrieve(intent.id).status, "requires_capture")
        self.assertEqual(client().payment_intents.capture(intent.id).status, "succeeded")

    def test_a_currency_that_a_type_does_not_take_is_refused(self):
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            pay("ideal", "usd")
        self.assertEqual(refused.exception.user_message, "The currency provided (usd) is invalid. Payments with ideal "
                         "support the following currencies: eur.")

    def test_a_wallet_is_set_up_for_payments_to_come(self):
        customer = client().customers.create({"email": "jenny@example.com"})
        setup = client().setup_intents.create({
            "customer": customer.id, "payment_method_types": ["paypal"], "payment_method_data": {"type": "paypal"},
            "confirm": True, "return_url": BACK})
        page, address = act(setup.next_action.redirect_to_url.url, "complete")
        self.assertIn("Authorize test setup", page)
        self.assertIn(f"setup_intent={setup.id}", address)
        ready = client().setup_intents.retrieve(setup.id)
        self.assertEqual(ready.status, "succeeded")
        paid = client().payment_intents.create({
            "amount": 5000, "currency": "eur", "customer": customer.id, "payment_method": ready.payment_method,
            "payment_method_types": ["paypal"], "off_session": True, "confirm": True})
        self.assertEqual(paid.status, "succeeded")


class Verified(unittest.TestCase):
    def test_what_was_kept_adds_up(self):
        other = Server()
        self.addCleanup(other.close)
        api = stripe.StripeClient(KEY, base_addresses={"api": other.api}, max_network_retries=0).v1
        default, = api.payment_method_configurations.list().data
        api.payment_method_configurations.update(default.id, {"eps": {"display_preference": {"preference": "on"}}})
        intent = api.payment_intents.create({
            "amount": 5000, "currency": "eur", "payment_method_data": {"type": "eps"}, "confirm": True, "return_url": BACK})
        act(intent.next_action.redirect_to_url.url, "complete")
        api.refunds.create({"payment_intent": intent.id, "amount": 1000})
        other.restart()
        api = stripe.StripeClient(KEY, base_addresses={"api": other.api}, max_network_retries=0).v1
        kept, = api.payment_method_configurations.list().data
        self.assertEqual(kept.eps.display_preference.value, "on")
        done = other.verify()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
