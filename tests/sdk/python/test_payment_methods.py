"""Payment methods, tokens and confirmation tokens with the official Python SDK. Run by tests/run."""

import subprocess
import unittest

import stripe
from server import BINARY, Server

KEY = "sk_test_pythonmethods0123456789abcdef"
CARD = {"number": "4242424242424242", "exp_month": 8, "exp_year": 2040, "cvc": "314"}


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def v1():
    return stripe.StripeClient(KEY, base_addresses={"api": server.api}, max_network_retries=0).v1


def customer():
    return v1().customers.create({"email": "jenny@example.com"})


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def events_about(object_id):
    about = [event for event in v1().events.list({"limit": 50}).data if event.data.object["id"] == object_id]
    return list(reversed(about))


class PaymentMethods(unittest.TestCase):
    def test_a_card_by_its_number(self):
        method = v1().payment_methods.create({
            "type": "card",
            "card": CARD,
            "billing_details": {"name": "Jenny Rosen", "address": {"postal_code": "94103", "country": "US"}},
            "metadata": {"order": "7"},
            "allow_redisplay": "always",
        })
        self.assertTrue(method.id.startswith("pm_"))
        self.assertEqual((method.object, method.type, method.livemode, method.customer),
                         ("payment_method", "card", False, None))
        card = method.card
        self.assertEqual((card.brand, card.display_brand, card.last4, card.funding, card.country),
                         ("visa", "visa", "4242", "credit", "US"))
        self.assertEqual((card.exp_month, card.exp_year), (8, 2040))
        self.assertEqual((card.checks.cvc_check, card.checks.address_postal_code_check,
                          card.checks.address_line1_check), ("unchecked", "unchecked", None))
        self.assertEqual((method.billing_details.name, method.billing_details.address.postal_code),
                         ("Jenny Rosen", "94103"))
        self.assertEqual((method.metadata["order"], method.allow_redisplay), ("7", "always"))
        same = v1().payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
        self.assertEqual(same.card.fingerprint, card.fingerprint)
        self.assertEqual(len(card.fingerprint), 16)
        self.assertNotIn(CARD["number"], str(v1().payment_methods.retrieve(method.id)))

    def test_a_number_outside_the_table_pays(self):
        method = v1().payment_methods.create({"type": "card", "card": {**CARD, "number": "4111 1111 1111 1111"}})
        self.assertEqual((method.card.brand, method.card.last4), ("visa", "1111"))
        intent = v1().payment_intents.create({
            "amount": 2000, "currency": "usd", "payment_method": method.id, "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        })
        self.assertEqual(intent.status, "succeeded")
        charge = v1().charges.retrieve(intent.latest_charge)
        self.assertEqual((charge.payment_method_details.card.last4, charge.payment_method_details.card.checks.cvc_check),
                         ("1111", "pass"))

    def test_details_that_are_wrong(self):
        for change, code, param in [
            ({"number": "4242424242424241"}, "incorrect_number", "number"),
            ({"exp_month": 13}, "invalid_expiry_month", "exp_month"),
            ({"exp_year": 2020}, "invalid_expiry_year", "exp_year"),
            ({"cvc": "99"}, "invalid_cvc", "cvc"),
        ]:
            error = refused(stripe.CardError, lambda: v1().payment_methods.create(
                {"type": "card", "card": {**CARD, **change}}))
            self.assertEqual((error.http_status, error.code, error.param), (402, code, param))
        error = refused(stripe.InvalidRequestError, lambda: v1().payment_methods.create({"type": "card"}))
        self.assertEqual(error.code, "parameter_missing")
        error = refused(stripe.InvalidRequestError, lambda: v1().payment_methods.create({"type": "giropay"}))
        self.assertIn("giropay", error.user_message)

    def test_magic_names_make_a_fresh_one_each_time(self):
        first = v1().payment_methods.retrieve("pm_card_mastercard")
        second = v1().payment_methods.retrieve("pm_card_mastercard")
        self.assertNotEqual(first.id, second.id)
        self.assertEqual((first.card.brand, first.card.last4), ("mastercard", "4444"))
        self.assertEqual(v1().payment_methods.retrieve(first.id).id, first.id)
        error = refused(stripe.InvalidRequestError, lambda: v1().payment_methods.retrieve("pm_card_nope"))
        self.assertEqual((error.http_status, error.code), (404, "resource_missing"))

    def test_attached_listed_changed_and_detached(self):
        owner, stranger = customer(), customer()
        method = v1().payment_methods.attach("pm_card_visa", {"customer": owner.id})
        self.assertEqual((method.customer, method.card.checks.cvc_check), (owner.id, "pass"))
        again = v1().payment_methods.attach(method.id, {"customer": owner.id})
        self.assertEqual(again.id, method.id)
        error = refused(stripe.InvalidRequestError,
                        lambda: v1().payment_methods.attach(method.id, {"customer": stranger.id}))
        self.assertIn("already been attached", error.user_message)
        other = v1().payment_methods.attach(
            v1().payment_methods.create({"type": "card", "card": CARD}).id, {"customer": owner.id})
        listed = v1().customers.payment_methods.list(owner.id)
        self.assertEqual([one.id for one in listed.data], [other.id, method.id])
        self.assertEqual(listed.url, f"/v1/customers/{owner.id}/payment_methods")
        listed = v1().payment_methods.list({"customer": owner.id, "type": "card", "limit": 1})
        self.assertEqual(([one.id for one in listed.data], listed.has_more), ([other.id], True))
        self.assertEqual([one.id for one in listed.auto_paging_iter()], [other.id, method.id])
        self.assertEqual(v1().payment_methods.list({"customer": owner.id, "type": "sepa_debit"}).data, [])
        self.assertEqual(v1().customers.payment_methods.retrieve(owner.id, method.id).id, method.id)
        error = refused(stripe.InvalidRequestError,
                        lambda: v1().customers.payment_methods.retrieve(stranger.id, method.id))
        self.assertEqual(error.http_status, 404)
        changed = v1().payment_methods.update(method.id, {
            "card": {"exp_year": 2041}, "billing_details": {"email": "j@example.com"}, "metadata": {"a": "1"}})
        self.assertEqual((changed.card.exp_year, changed.billing_details.email, changed.metadata["a"]),
                         (2041, "j@example.com", "1"))
        gone = v1().payment_methods.detach(method.id)
        self.assertIsNone(gone.customer)
        self.assertEqual([one.id for one in v1().customers.payment_methods.list(owner.id).data], [other.id])
        error = refused(stripe.InvalidRequestError,
                        lambda: v1().payment_methods.attach(method.id, {"customer": owner.id}))
        self.assertIn("may not be used again", error.user_message)
        told = events_about(method.id)
        self.assertEqual([event.type for event in told],
                         ["payment_method.attached", "payment_method.updated", "payment_method.detached"])
        self.assertEqual(told[1].data.previous_attributes["card"]["exp_year"], method.card.exp_year)
        self.assertEqual(told[2].data.previous_attributes["customer"], owner.id)

    def test_a_declined_card_is_not_saved(self):
        owner = customer()
        error = refused(stripe.CardError, lambda: v1().payment_methods.attach(
            "pm_card_visa_chargeDeclined", {"customer": owner.id}))
        self.assertEqual((error.http_status, error.code, error.param), (402, "card_declined", ""))
        self.assertNotIn("charge", error.json_body["error"])
        self.assertNotIn("payment_intent", error.json_body["error"])
        saved = v1().payment_methods.attach("pm_card_chargeCustomerFail", {"customer": owner.id})
        self.assertEqual(saved.customer, owner.id)

    def test_without_a_customer_it_pays_once(self):
        method = v1().payment_methods.create({"type": "card", "card": CARD})
        pay = lambda: v1().payment_intents.create({
            "amount": 2000, "currency": "usd", "payment_method": method.id, "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}})
        self.assertEqual(pay().status, "succeeded")
        error = refused(stripe.InvalidRequestError, pay)
        self.assertIn("It may not be used again", error.user_message)


class Tokens(unittest.TestCase):
    def test_a_token_of_a_card(self):
        token = v1().tokens.create({"card": {**CARD, "name": "Jenny Rosen", "address_zip": "94103"}})
        self.assertEqual((token.object, token.type, token.used), ("token", "card", False))
        self.assertEqual((token.card.object, token.card.brand, token.card.last4, token.card.name),
                         ("card", "Visa", "4242", "Jenny Rosen"))
        method = v1().payment_methods.create({"type": "card", "card": {"token": token.id}})
        self.assertEqual(method.billing_details.name, "Jenny Rosen")
        self.assertTrue(v1().tokens.retrieve(token.id).used)
        error = refused(stripe.InvalidRequestError, lambda: v1().payment_methods.create(
            {"type": "card", "card": {"token": token.id}}))
        self.assertEqual(error.code, "token_already_used")
        self.assertEqual(v1().tokens.create({"cvc_update": {"cvc": "123"}}).type, "cvc_update")
        error = refused(stripe.InvalidRequestError, lambda: v1().tokens.create({"pii": {"id_number": "000000000"}}))
        self.assertEqual(error.code, "parameter_unknown")

    def test_magic_tokens_are_used_as_often_as_one_likes(self):
        for _ in range(2):
            method = v1().payment_methods.create({"type": "card", "card": {"token": "tok_amex"}})
            self.assertEqual((method.card.brand, method.card.last4), ("amex", "8431"))


class ConfirmationTokens(unittest.TestCase):
    def test_one_confirms_one_payment(self):
        token = v1().test_helpers.confirmation_tokens.create({
            "payment_method_data": {"type": "card", "card": CARD, "billing_details": {"name": "Jenny Rosen"}},
            "return_url": "https://example.com/back",
        })
        self.assertTrue(token.id.startswith("ctoken_"))
        preview = token.payment_method_preview
        self.assertEqual((preview.type, preview.card.last4, preview.billing_details.name),
                         ("card", "4242", "Jenny Rosen"))
        intent = v1().payment_intents.create({
            "amount": 2000, "currency": "usd", "confirmation_token": token.id, "confirm": True})
        self.assertEqual(intent.status, "succeeded")
        self.assertEqual(v1().confirmation_tokens.retrieve(token.id).payment_intent, intent.id)
        refused(stripe.InvalidRequestError, lambda: v1().payment_intents.create({
            "amount": 2000, "currency": "usd", "confirmation_token": token.id, "confirm": True}))


class Vault(unittest.TestCase):
    def test_numbers_open_after_a_rotation(self):
        own = Server()
        try:
            client = stripe.StripeClient(KEY, base_addresses={"api": own.api}, max_network_retries=0)
            made = client.v1.payment_methods.create({"type": "card", "card": CARD})
            client.v1.tokens.create({"card": CARD})
            data = str(own.directory / "data")

            def vault(*words):
                return subprocess.run([BINARY, "vault", *words, "--data", data],
                                      capture_output=True, text=True, timeout=60)

            running = vault("rotate")
            self.assertEqual(running.returncode, 3, running.stderr)
            own.restart()
            self.assertEqual(own.stop(), 0)
            checked = vault("check")
            self.assertEqual((checked.returncode, checked.stdout.split()[0]), (0, "2"), checked.stderr)
            turned = vault("rotate")
            self.assertEqual(turned.returncode, 0, turned.stderr)
            self.assertIn("2 data keys under master key 2, 1 older keys destroyed", turned.stdout)
            checked = vault("check")
            self.assertEqual((checked.returncode, checked.stdout.split()[0]), (0, "2"), checked.stderr)
            told = vault("audit", "--sealed")
            self.assertEqual(told.returncode, 0, told.stderr)
            for word in ["rotated", "check", made.id]:
                self.assertIn(word, told.stdout)
            self.assertNotIn(CARD["number"], told.stdout)
            own.start()
            client = stripe.StripeClient(KEY, base_addresses={"api": own.api}, max_network_retries=0)
            self.assertEqual(client.v1.payment_methods.retrieve(made.id).card.last4, "4242")
        finally:
            own.close()


if __name__ == "__main__":
    unittest.main()
