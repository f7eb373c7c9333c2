"""Setup intents, their attempts and mandates with the official Python SDK. Run by tests/run."""

import unittest
import urllib.error
import urllib.parse
import urllib.request

import stripe
from server import Server

KEY = "sk_test_pythonsetups0123456789abcdef"
PUBLISHABLE = KEY.replace("sk_", "pk_")


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def client(key=KEY):
    return stripe.StripeClient(key, base_addresses={"api": server.api}, max_network_retries=0)


def setups():
    return client().v1.setup_intents


def customer():
    return client().v1.customers.create({"email": "jenny@example.com"})


def set_up(card="visa", **params):
    return setups().create({"payment_method": f"pm_card_{card}", "confirm": True, **params})


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def act(intent, outcome):
    """Presses a button of the test page, as a browser would; returns where it leads."""
    action = intent.next_action
    url = action.redirect_to_url.url if action.type == "redirect_to_url" else action.use_stripe_sdk["stripe_js"]
    urllib.request.urlopen(url).close()
    request = urllib.request.Request(url, data=f"outcome={outcome}".encode())
    try:
        urllib.request.build_opener(NoRedirect).open(request).close()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.headers["location"]
    return None


def events_of(*ids):
    seen = client().v1.events.list({"limit": 100}).auto_paging_iter()
    return [event.type for event in reversed(list(seen)) if event.data.object.id in ids]


class Setups(unittest.TestCase):
    def test_a_card_is_saved_and_pays_later_without_its_holder(self):
        jenny = customer()
        intent = set_up(customer=jenny.id, metadata={"order": "6735"}, description="card on file",
                        expand=["latest_attempt", "payment_method"])
        self.assertEqual((intent.object, intent.status, intent.usage), ("setup_intent", "succeeded", "off_session"))
        self.assertTrue(intent.client_secret.startswith(intent.id + "_secret_"))
        self.assertEqual((intent.payment_method.customer, intent.payment_method.card.checks.cvc_check), (jenny.id, "pass"))
        attempt = intent.latest_attempt
        self.assertEqual((attempt.object, attempt.status, attempt.setup_intent), ("setup_attempt", "succeeded", intent.id))
        self.assertEqual(attempt.payment_method_details.card.last4, "4242")
        self.assertEqual((intent.last_setup_error, intent.next_action, intent.mandate), (None, None, None))
        self.assertEqual(intent.payment_method_options.card.request_three_d_secure, "automatic")
        self.assertEqual(events_of(intent.id, intent.payment_method.id), [
            "setup_intent.created", "payment_method.attached", "setup_intent.succeeded"])
        paid = client().v1.payment_intents.create({
            "amount": 900, "currency": "usd", "customer": jenny.id, "payment_method": intent.payment_method.id,
            "off_session": True, "confirm": True})
        self.assertEqual(paid.status, "succeeded")
        self.assertEqual(setups().retrieve(intent.id).status, "succeeded")

    def test_a_setup_is_filled_in_step_by_step(self):
        intent = setups().create({"usage": "on_session", "payment_method_types": ["card"]})
        self.assertEqual((intent.status, intent.automatic_payment_methods), ("requires_payment_method", None))
        missing = refused(stripe.InvalidRequestError, lambda: setups().confirm(intent.id))
        self.assertEqual(missing.code, "setup_intent_unexpected_state")
        self.assertEqual(missing.error.setup_intent.id, intent.id)
        updated = setups().update(intent.id, {"payment_method": "pm_card_mastercard", "metadata": {"step": "2"}})
        self.assertEqual((updated.status, updated.metadata["step"]), ("requires_confirmation", "2"))
        done = setups().confirm(intent.id, {"client_secret": intent.client_secret})
        self.assertEqual(done.status, "succeeded")
        again = refused(stripe.InvalidRequestError, lambda: setups().confirm(intent.id))
        self.assertIn("already succeeded", again.user_message)

    def test_card_data_is_taken_inline(self):
        data = {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "314"},
                "billing_details": {"name": "Jenny Rosen"}}
        intent = setups().create({"payment_method_data": data, "confirm": True, "expand": ["payment_method"]})
        self.assertEqual((intent.status, intent.payment_method.billing_details.name), ("succeeded", "Jenny Rosen"))

    def test_a_decline_names_the_setup(self):
        error = refused(stripe.CardError, lambda: set_up("visa_chargeDeclinedInsufficientFunds"))
        self.assertEqual((error.http_status, error.code, error.error.decline_code),
                         (402, "card_declined", "insufficient_funds"))
        self.assertIsNone(error.error.charge)
        intent = setups().retrieve(error.error.setup_intent.id)
        self.assertEqual((intent.status, intent.payment_method), ("requires_payment_method", None))
        self.assertEqual(intent.last_setup_error.decline_code, "insufficient_funds")
        self.assertEqual(intent.last_setup_error.payment_method.card.last4, "9995")
        self.assertEqual(events_of(intent.id), ["setup_intent.created", "setup_intent.setup_failed"])
        better = setups().confirm(intent.id, {"payment_method": "pm_card_visa"})
        self.assertEqual((better.status, better.last_setup_error), ("succeeded", None))
        attempts = client().v1.setup_attempts.list({"setup_intent": intent.id}).data
        self.assertEqual([attempt.status for attempt in attempts], ["succeeded", "failed"])
        self.assertEqual(attempts[1].setup_error.code, "card_declined")

    def test_the_holder_acts_on_the_page_and_returns(self):
        jenny = customer()
        intent = set_up("authenticationRequiredOnSetup", customer=jenny.id, return_url="https://shop.example/back")
        self.assertEqual((intent.status, intent.next_action.type), ("requires_action", "redirect_to_url"))
        back = urllib.parse.urlsplit(act(intent, "complete"))
        self.assertEqual(dict(urllib.parse.parse_qsl(back.query)), {
            "setup_intent": intent.id, "setup_intent_client_secret": intent.client_secret,
            "redirect_status": "succeeded"})
        ready = setups().retrieve(intent.id, {"expand": ["latest_attempt"]})
        self.assertEqual((ready.status, ready.next_action), ("succeeded", None))
        self.assertEqual(ready.latest_attempt.payment_method_details.card.three_d_secure.result, "authenticated")
        self.assertEqual(events_of(intent.id, ready.payment_method), [
            "setup_intent.created", "setup_intent.requires_action", "payment_method.attached", "setup_intent.succeeded"])
        paid = client().v1.payment_intents.create({
            "amount": 900, "currency": "usd", "customer": jenny.id, "payment_method": ready.payment_method,
            "off_session": True, "confirm": True})
        self.assertEqual(paid.status, "succeeded")

    def test_a_failed_authentication_wants_another_card(self):
        intent = set_up("authenticationRequired", use_stripe_sdk=True)
        self.assertEqual(intent.next_action.type, "use_stripe_sdk")
        self.assertIsNone(act(intent, "fail"))
        failed = setups().retrieve(intent.id)
        self.assertEqual((failed.status, failed.last_setup_error.code),
                         ("requires_payment_method", "setup_intent_authentication_failure"))

    def test_a_setup_can_be_given_up_once(self):
        intent = set_up("authenticationRequired")
        canceled = setups().cancel(intent.id, {"cancellation_reason": "abandoned"})
        self.assertEqual((canceled.status, canceled.cancellation_reason), ("canceled", "abandoned"))
        attempt = client().v1.setup_attempts.list({"setup_intent": intent.id}).data[0]
        self.assertEqual(attempt.status, "abandoned")
        error = refused(stripe.InvalidRequestError, lambda: setups().cancel(intent.id))
        self.assertIn("because it is already canceled", error.user_message)
        self.assertEqual(error.error.setup_intent.status, "canceled")

    def test_a_mandate_ends_when_its_card_is_detached(self):
        own = customer()
        intent = set_up(customer=own.id, mandate_data={"customer_acceptance": {"type": "offline"}})
        detached = client().v1.payment_methods.detach(intent.payment_method)
        self.assertIsNone(detached.customer)
        self.assertEqual(client().v1.mandates.retrieve(intent.mandate).status, "inactive")
        event = client().v1.events.list({"type": "mandate.updated"}).data[0]
        self.assertEqual((event.data.object.id, event.data.object.status), (intent.mandate, "inactive"))
        self.assertEqual(event.data.previous_attributes.to_dict(), {"status": "active"})

    def test_an_agreement_becomes_a_mandate(self):
        online = {"ip_address": "127.0.0.1", "user_agent": "Mozilla/5.0"}
        acceptance = {"type": "online", "online": online, "accepted_at": 1750000000}
        intent = set_up(mandate_data={"customer_acceptance": acceptance})
        mandate = client().v1.mandates.retrieve(intent.mandate)
        self.assertEqual((mandate.object, mandate.type, mandate.status), ("mandate", "multi_use", "active"))
        self.assertEqual(mandate.payment_method, intent.payment_method)
        self.assertEqual(mandate.customer_acceptance.online.ip_address, "127.0.0.1")
        self.assertEqual(mandate.customer_acceptance.accepted_at, 1750000000)
        once = set_up(single_use={"amount": 500, "currency": "eur"}, expand=["single_use_mandate"])
        self.assertEqual((once.mandate, once.single_use_mandate.single_use.amount), (None, 500))

    def test_a_page_finishes_a_setup_with_its_secret(self):
        intent = setups().create()
        page = client(PUBLISHABLE).v1.setup_intents
        secret = {"client_secret": intent.client_secret}
        self.assertEqual(page.retrieve(intent.id, secret).status, "requires_payment_method")
        refused(stripe.StripeError, lambda: page.retrieve(intent.id, {"client_secret": intent.client_secret + "x"}))
        token = client(PUBLISHABLE).raw_request("post", "/v1/confirmation_tokens", payment_method_data={
            "type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}}).data
        token = client().v1.confirmation_tokens.retrieve(token["id"])
        self.assertIsNone(token.setup_intent)
        self.assertEqual(page.confirm(intent.id, {**secret, "confirmation_token": token.id}).status, "succeeded")
        self.assertEqual(setups().retrieve(intent.id, {"expand": ["payment_method"]}).payment_method.card.last4, "4242")

    def test_lists_are_filtered(self):
        jenny = customer()
        mine = [set_up(customer=jenny.id) for _ in range(3)]
        setups().create({"flow_directions": ["inbound"]})
        listed = setups().list({"customer": jenny.id, "limit": 2})
        self.assertEqual(([seen.id for seen in listed.data], listed.has_more), ([mine[2].id, mine[1].id], True))
        self.assertEqual([seen.id for seen in listed.auto_paging_iter()], [seen.id for seen in reversed(mine)])
        later = setups().update(setups().create().id, {"customer": jenny.id})
        self.assertEqual(setups().list({"customer": jenny.id, "limit": 1}).data[0].id, later.id)
        setups().update(later.id, {"customer": ""})
        self.assertEqual(setups().list({"customer": jenny.id, "limit": 1}).data[0].id, mine[2].id)
        by_method = setups().list({"payment_method": mine[1].payment_method}).data
        self.assertEqual([seen.id for seen in by_method], [mine[1].id])
        self.assertEqual(setups().list({"attach_to_self": True}).data, [])

    def test_what_is_missing_is_told(self):
        gone = refused(stripe.InvalidRequestError, lambda: setups().retrieve("seti_nope"))
        self.assertEqual((gone.http_status, gone.code, gone.param), (404, "resource_missing", "intent"))
        self.assertIn("No such setupintent: 'seti_nope'", gone.user_message)
        intent = setups().create()
        unasked = refused(stripe.InvalidRequestError, lambda: setups().verify_microdeposits(intent.id, {"amounts": [32, 45]}))
        self.assertEqual(unasked.code, "setup_intent_unexpected_state")
        missing = refused(stripe.InvalidRequestError, lambda: client().v1.setup_attempts.list({}))
        self.assertEqual((missing.code, missing.param), ("parameter_missing", "setup_intent"))


class Soundness(unittest.TestCase):
    def test_the_data_is_sound(self):
        audit = server.verify()
        server.start()
        self.assertEqual(audit.returncode, 0, audit.stdout + audit.stderr)


if __name__ == "__main__":
    unittest.main()
