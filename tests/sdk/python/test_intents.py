"""Payment intents with the official Python SDK: payers who must act, updates, parts of holds. Run by tests/run."""

import unittest
import urllib.error
import urllib.parse
import urllib.request

import stripe
from server import Server

KEY = "sk_test_pythonintents0123456789abcdef"


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def client():
    return stripe.StripeClient(KEY, base_addresses={"api": server.api}, max_network_retries=0)


def intents():
    return client().v1.payment_intents


def pay(card="visa", **params):
    body = {"amount": 2500, "currency": "usd", "payment_method": f"pm_card_{card}", "confirm": True, **params}
    return intents().create(body)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def act(intent, outcome):
    """Presses a button of the test page, as a browser would; returns where it leads."""
    action = intent.next_action
    url = action.redirect_to_url.url if action.type == "redirect_to_url" else action.use_stripe_sdk["stripe_js"]
    page = urllib.request.urlopen(url).read().decode()
    assert f'value="{outcome}"' in page, page
    request = urllib.request.Request(url, data=f"outcome={outcome}".encode())
    try:
        urllib.request.build_opener(NoRedirect).open(request)
    except urllib.error.HTTPError as answer:
        return answer.headers["location"]
    return None


def events_of(*ids):
    seen = client().v1.events.list({"limit": 100}).auto_paging_iter()
    return [event.type for event in reversed(list(seen)) if event.data.object.id in ids]


class Actions(unittest.TestCase):
    def test_a_redirect_is_followed_and_the_payment_goes_on(self):
        intent = pay("threeDSecure2Required", return_url="https://shop.example/back?order=7")
        self.assertEqual((intent.status, intent.latest_charge), ("requires_action", None))
        self.assertEqual(intent.next_action.type, "redirect_to_url")
        back = urllib.parse.urlsplit(act(intent, "complete"))
        self.assertEqual((back.hostname, back.path), ("shop.example", "/back"))
        self.assertEqual(dict(urllib.parse.parse_qsl(back.query)), {
            "order": "7", "payment_intent": intent.id, "payment_intent_client_secret": intent.client_secret,
            "redirect_status": "succeeded"})
        paid = intents().retrieve(intent.id, {"expand": ["latest_charge"]})
        self.assertEqual((paid.status, paid.next_action), ("succeeded", None))
        secured = paid.latest_charge.payment_method_details.card.three_d_secure
        self.assertEqual((secured.result, secured.authentication_flow), ("authenticated", "challenge"))
        self.assertEqual(events_of(intent.id, paid.latest_charge.id), [
            "payment_intent.created", "payment_intent.requires_action", "charge.succeeded", "payment_intent.succeeded"])

    def test_a_failed_authentication_wants_another_card(self):
        intent = pay("authenticationRequired", use_stripe_sdk=True, return_url="https://shop.example/back")
        self.assertEqual(intent.next_action.type, "use_stripe_sdk")
        self.assertTrue(act(intent, "fail").endswith("redirect_status=failed"))
        failed = intents().retrieve(intent.id)
        self.assertEqual((failed.status, failed.payment_method), ("requires_payment_method", None))
        self.assertEqual(failed.last_payment_error.code, "payment_intent_authentication_failure")
        self.assertEqual(intents().confirm(intent.id, {"payment_method": "pm_card_visa"}).status, "succeeded")

    def test_the_merchant_confirms_again_with_manual_confirmation(self):
        intent = pay("threeDSecure2Required", confirmation_method="manual")
        act(intent, "complete")
        self.assertEqual(intents().retrieve(intent.id).status, "requires_confirmation")
        self.assertEqual(intents().confirm(intent.id).status, "succeeded")

    def test_without_the_payer_the_card_is_refused(self):
        for card, charge in [("authenticationRequired", True), ("threeDSecure2Required", False)]:
            with self.assertRaises(stripe.CardError) as refused:
                pay(card, off_session=True)
            error = refused.exception.error
            self.assertEqual((error.code, error.decline_code), ("authentication_required", "authentication_required"))
            self.assertEqual(getattr(error, "charge", None) is not None, charge, card)

    def test_a_request_may_prefer_an_error_to_an_action(self):
        with self.assertRaises(stripe.CardError) as refused:
            pay("threeDSecure2Required", error_on_requires_action=True)
        self.assertEqual(refused.exception.http_status, 402)
        self.assertEqual(refused.exception.error.payment_intent.status, "requires_payment_method")


class Changes(unittest.TestCase):
    def test_an_intent_changes_until_it_is_paid(self):
        intent = intents().create({"amount": 2000, "currency": "usd"})
        intent = intents().update(intent.id, {
            "amount": 2500, "payment_method": "pm_card_visa", "description": "a book", "metadata": {"order": "7"},
            "payment_method_options": {"card": {"request_three_d_secure": "any", "network": "visa"}},
            "amount_details": {"tax": {"total_tax_amount": 120}}, "payment_details": {"order_reference": "o-7"}})
        self.assertEqual((intent.status, intent.amount), ("requires_confirmation", 2500))
        self.assertEqual(intent.payment_method_options.card.request_three_d_secure, "any")
        self.assertEqual(intent.payment_method_options.card.network, "visa")
        self.assertEqual(intent.amount_details.tax.total_tax_amount, 120)
        self.assertEqual(intent.payment_details.order_reference, "o-7")
        intent = intents().update(intent.id, {"metadata": {"order": ""}, "description": ""})
        self.assertEqual((intent.metadata.to_dict(), intent.description), ({}, None))
        paid = intents().confirm(intent.id, {"expand": ["latest_charge"]})
        self.assertEqual((paid.status, paid.amount_received), ("succeeded", 2500))
        secured = paid.latest_charge.payment_method_details.card.three_d_secure
        self.assertEqual(secured.result, "attempt_acknowledged")
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            intents().update(intent.id, {"amount": 3000})
        self.assertEqual((refused.exception.code, refused.exception.param),
                         ("payment_intent_unexpected_state", "amount"))
        self.assertEqual(intents().update(intent.id, {"description": "sold"}).description, "sold")

    def test_of_the_types_that_are_allowed_those_are_offered_that_fit(self):
        intent = intents().create({
            "amount": 2000, "currency": "usd", "allowed_payment_method_types": ["card", "ideal", "wero"]})
        self.assertEqual(intent.payment_method_types, ["card"])
        self.assertEqual(intent.allowed_payment_method_types, ["card", "ideal", "wero"])
        self.assertIsNone(intent.automatic_payment_methods)
        paid = intents().confirm(intent.id, {"payment_method": "pm_card_visa"})
        self.assertEqual(paid.status, "succeeded")
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            intents().create({"amount": 2000, "currency": "usd", "allowed_payment_method_types": ["card"],
                              "excluded_payment_method_types": ["ideal"]})
        self.assertIn("You may only specify one of these parameters", str(refused.exception))
        setup = client().v1.setup_intents.create({"allowed_payment_method_types": ["card", "p24"]})
        self.assertEqual(setup.payment_method_types, ["card"])

    def test_a_security_code_is_entered_again(self):
        customer = client().v1.customers.create()
        card = client().v1.payment_methods.create({
            "type": "card", "card": {"number": "4000000000000127", "exp_month": 8, "exp_year": 2030}})
        card = client().v1.payment_methods.attach(card.id, {"customer": customer.id})
        asked = {"amount": 2000, "currency": "usd", "customer": customer.id, "payment_method": card.id, "confirm": True}
        code = client().v1.tokens.create({"cvc_update": {"cvc": "123"}})
        self.assertEqual(code.type, "cvc_update")
        with self.assertRaises(stripe.CardError) as refused:
            intents().create({**asked, "payment_method_options": {"card": {"cvc_token": code.id}}})
        self.assertEqual(refused.exception.code, "incorrect_cvc")
        self.assertTrue(client().v1.tokens.retrieve(code.id).used)
        self.assertEqual(intents().create(asked).status, "succeeded")

    def test_a_card_is_paid_with_by_its_data(self):
        intent = intents().create({
            "amount": 2000, "currency": "usd", "confirm": True, "payment_method_data": {
                "type": "card", "card": {"token": "tok_mastercard"}, "billing_details": {"name": "Ada"}},
            "expand": ["payment_method", "latest_charge"]})
        self.assertEqual(intent.payment_method.card.brand, "mastercard")
        self.assertEqual(intent.latest_charge.billing_details.name, "Ada")

    def test_a_confirmation_token_says_how_to_pay(self):
        token = client().v1.test_helpers.confirmation_tokens.create({
            "payment_method": "pm_card_threeDSecure2Required", "return_url": "https://shop.example/back"})
        intent = intents().create({
            "amount": 2000, "currency": "usd", "confirm": True, "confirmation_token": token.id})
        self.assertEqual(intent.next_action.redirect_to_url.return_url, "https://shop.example/back")
        self.assertIn("redirect_status=succeeded", act(intent, "complete"))
        self.assertEqual(intents().retrieve(intent.id).status, "succeeded")

    def test_a_hold_is_raised(self):
        intent = pay(capture_method="manual", payment_method_options={
            "card": {"request_incremental_authorization": "if_available"}}, expand=["latest_charge"])
        card = intent.latest_charge.payment_method_details.card
        self.assertEqual(card.incremental_authorization.status, "available")
        raised = intents().increment_authorization(intent.id, {"amount": 4000})
        self.assertEqual((raised.amount, raised.amount_capturable), (4000, 4000))
        self.assertEqual(intents().capture(intent.id).amount_received, 4000)

    def test_a_hold_is_captured_in_parts(self):
        intent = pay(amount=5000, capture_method="manual", payment_method_options={
            "card": {"request_multicapture": "if_available"}})
        part = intents().capture(intent.id, {"amount_to_capture": 2000, "final_capture": False})
        self.assertEqual((part.status, part.amount_received, part.amount_capturable), ("requires_capture", 2000, 3000))
        whole = intents().capture(intent.id, {"amount_to_capture": 1000})
        self.assertEqual((whole.status, whole.amount_received, whole.amount_capturable), ("succeeded", 3000, 0))
        moved = client().v1.balance_transactions.list({"source": whole.latest_charge}).data
        self.assertEqual([row.amount for row in moved], [1000, 2000])

    def test_connected_accounts_are_refused_by_name(self):
        for params in [{"on_behalf_of": "acct_1"}, {"application_fee_amount": 100},
                       {"transfer_data": {"destination": "acct_1"}}]:
            with self.assertRaises(stripe.InvalidRequestError) as refused:
                pay(**params)
            self.assertIn("Connect is not available", str(refused.exception))


if __name__ == "__main__":
    unittest.main()
