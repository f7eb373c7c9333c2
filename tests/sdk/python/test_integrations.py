"""The flows of integrations that many shops run (gateway libraries, plugins of shops, samples), in this suite's own words:
what they send, and what of the answers they rely on. Run by tests/run."""

import unittest
import uuid

import stripe
from server import Server

KEY = "sk_test_pythonintegrations0123456789"
GATEWAY = "2020-08-27"
RETURN_URL = "https://shop.example/return"


def setUpModule():
    global server, client
    server = Server()
    client = stripe.StripeClient(KEY, base_addresses={"api": server.api}, max_network_retries=0)


def tearDownModule():
    server.close()


def refused(call, kind=stripe.StripeError):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def card(number, **besides):
    return {"number": number, "exp_month": 10, "exp_year": 2030, "cvc": "737", **besides}


class Gateway(unittest.TestCase):
    """A gateway library: payment methods are made first, the intent is created and confirmed in one request, at a version
    from before 2022 whose intents carry their charges."""

    @classmethod
    def setUpClass(cls):
        cls.customer = client.v1.customers.create({}).id

    def pay(self, method="pm_card_visa", **params):
        asked = {"amount": 2000, "currency": "gbp", "payment_method": method, "confirm": True, **params}
        asked = {name: value for name, value in asked.items() if value is not None}
        return client.v1.payment_intents.create(asked, {"stripe_version": GATEWAY})

    def method(self, number):
        made = client.v1.payment_methods.create(
            {"type": "card", "card": card(number), "billing_details": {"name": "Longbob Longsen"}})
        return made.id

    def test_authorise_capture_and_void(self):
        held = self.pay(customer=self.customer, capture_method="manual", confirmation_method="manual")
        self.assertEqual((held.status, held.charges.data[0].captured), ("requires_capture", False))
        taken = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 2000}, {"stripe_version": GATEWAY})
        self.assertEqual(taken.charges.data[0].outcome.seller_message, "Payment complete.")
        held = self.pay(customer=self.customer, capture_method="manual")
        void = client.v1.payment_intents.cancel(held.id, {"cancellation_reason": "requested_by_customer"},
                                                {"stripe_version": GATEWAY})
        self.assertEqual((void.status, void.cancellation_reason, void.charges.data[0].amount_refunded),
                         ("canceled", "requested_by_customer", 2000))

    def test_a_payment_that_has_succeeded_is_not_cancelled(self):
        paid = self.pay()
        error = refused(lambda: client.v1.payment_intents.cancel(paid.id, {}, {"stripe_version": GATEWAY}))
        self.assertEqual(error.user_message,
                         "You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent "
                         "with one of the following statuses may be canceled: requires_payment_method, requires_capture, "
                         "requires_confirmation, requires_action, processing.")

    def test_a_refund_by_the_route_of_its_charge(self):
        paid = self.pay(customer=self.customer)
        charge = paid.charges.data[0]
        self.assertTrue(charge.balance_transaction)
        refund = client.raw_request("post", f"/v1/charges/{charge.id}/refunds", amount=1980, expand=["charge"])
        refund = client.deserialize(refund, api_mode="V1")
        self.assertEqual((refund.charge.amount_refunded, refund.charge.captured), (1980, True))

    def test_declines_show_the_intent_and_its_charge(self):
        error = refused(lambda: self.pay("pm_card_chargeDeclined", customer=self.customer), stripe.CardError)
        self.assertEqual(error.user_message, "Your card was declined.")
        intent = error.error.payment_intent
        self.assertEqual((intent.status, intent.charges.data[0].captured), ("requires_payment_method", False))

    def test_3d_secure_that_another_provider_did(self):
        for version, indicator in [("1.0.2", "05"), ("2.1.0", "02"), ("2.2.0", "05")]:
            proof = {"version": version, "electronic_commerce_indicator": indicator, "transaction_id": "d+NEBKSp",
                     "cryptogram": "4BQwsg4yuKt0S1LI1nDZTcO9vUM="}
            paid = self.pay(self.method("4000002760003184"), payment_method_options={"card": {"three_d_secure": proof}})
            self.assertEqual(paid.status, "succeeded")
            shown = paid.charges.data[0].payment_method_details.card
            self.assertEqual((shown.three_d_secure.version, shown.three_d_secure.electronic_commerce_indicator,
                              shown.three_d_secure.result), (version, indicator, "authenticated"))
            self.assertTrue(shown.network_transaction_id)
        proof.pop("cryptogram")
        error = refused(lambda: self.pay(payment_method_options={"card": {"three_d_secure": proof}}))
        self.assertEqual((error.code, error.param),
                         ("parameter_missing", "payment_method_options[card][three_d_secure][cryptogram]"))

    def test_cards_that_were_saved_elsewhere(self):
        error = refused(lambda: client.v1.payment_intents.create(
            {"amount": 2000, "currency": "usd", "confirm": True, "off_session": True,
             "payment_method_data": {"type": "card", "card": card("4000002500003155")}},
            {"stripe_version": GATEWAY}), stripe.CardError)
        self.assertEqual((error.code, error.error.payment_intent.charges.data[0].status),
                         ("authentication_required", "failed"))
        for exemption in [{"network_transaction_id": "1098510912210968"},
                          {"network_transaction_id": "1098510912210968", "ds_transaction_id": "null"},
                          {"claim_without_transaction_id": True}]:
            paid = client.v1.payment_intents.create(
                {"amount": 2000, "currency": "usd", "confirm": True, "off_session": True,
                 "payment_method_data": {"type": "card", "card": card("4000002500003155")},
                 "payment_method_options": {"card": {"mit_exemption": exemption}}}, {"stripe_version": GATEWAY})
            self.assertEqual(paid.status, "succeeded")

    def test_orders_by_telephone(self):
        self.assertEqual(self.pay("pm_card_authenticationRequiredOnSetup").status, "requires_action")
        told = {"card": {"moto": True}}
        paid = self.pay("pm_card_authenticationRequiredOnSetup", payment_method_options=told)
        self.assertEqual(paid.status, "succeeded")
        error = refused(lambda: self.pay("pm_card_authenticationRequired", payment_method_options=told))
        self.assertEqual(error.user_message, "Your card was declined. This transaction requires authentication.")

    def test_a_payment_that_may_not_wait(self):
        error = refused(lambda: self.pay(self.method("4000000000003220"), error_on_requires_action=True))
        self.assertIn("This payment required an authentication action to complete, but `error_on_requires_action` was set.",
                      error.user_message)
        self.assertEqual(error.error.decline_code, "authentication_not_handled")

    def test_rules_of_risk_are_skipped(self):
        paid = self.pay(radar_options={"skip_rules": ["all"]})
        self.assertEqual(paid.charges.data[0].radar_options["skip_rules"], ["all"])

    def test_cards_out_of_a_wallet(self):
        def token(**changes):
            fields = {"number": "4242424242424242", "exp_month": "09", "exp_year": 2030, "eci": "05",
                      "cryptogram": "dGVzdGNyeXB0b2dyYW1YWFhYWFhYWFhYWFg9PQ==", **changes}
            asked = {"card": {name: value for name, value in fields.items() if value is not None}}
            return client.raw_request("post", "/v1/tokens", **asked).data

        for method, wallet in [("android_pay", "google_pay"), ("apple_pay", "apple_pay")]:
            made = token(tokenization_method=method, address_line1="456 My Street")
            self.assertEqual((made["card"]["tokenization_method"], made["card"]["address_line1"], made["card"]["last4"],
                              made["card"]["dynamic_last4"]), (method, "456 My Street", "0000", "4242"))
            paid = self.pay(None, payment_method_data={"type": "card", "card": {"token": made["id"]}},
                            payment_method_types=["card"])
            shown = paid.charges.data[0].payment_method_details.card
            self.assertEqual((shown.wallet.type, shown.wallet.dynamic_last4, shown.last4), (wallet, "4242", "0000"))
            self.assertIn(wallet, shown.wallet)
        for changes, message in [
            ({"number": "378282246310000"}, "Your card number is incorrect."),
            ({"exp_month": None}, "Missing required param: card[exp_month]."),
            ({"cryptogram": None},
             "Cards using 'tokenization_method=android_pay' require the 'cryptogram' field to be set."),
        ]:
            error = refused(lambda: token(tokenization_method="android_pay", **changes))
            self.assertEqual(error.user_message, message)

    def test_keys_are_for_one_endpoint_and_one_set_of_parameters(self):
        key = str(uuid.uuid4())
        asked = {"amount": 2000, "currency": "gbp", "payment_method": "pm_card_visa", "customer": self.customer}
        made = client.v1.payment_intents.create(asked, {"idempotency_key": key})
        self.assertEqual(client.v1.payment_intents.create(asked, {"idempotency_key": key}).id, made.id)
        error = refused(lambda: client.v1.payment_intents.create({**asked, "currency": "usd"}, {"idempotency_key": key}))
        self.assertTrue(error.user_message.startswith(
            "Keys for idempotent requests can only be used with the same parameters they were first used with"))
        error = refused(lambda: client.v1.payment_intents.cancel(made.id, {}, {"idempotency_key": key}))
        self.assertTrue(error.user_message.startswith(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for"))

    def test_saving_with_and_without_the_issuer(self):
        saved = client.raw_request("post", f"/v1/payment_methods/{self.method('4242424242424242')}/attach",
                                   customer=self.customer, validate=False)
        self.assertEqual(saved.data["card"]["checks"]["cvc_check"], "unchecked")
        saved = client.raw_request("post", f"/v1/payment_methods/{self.method('4242424242424242')}/attach",
                                   customer=self.customer, validate=True)
        self.assertEqual(saved.data["card"]["checks"]["cvc_check"], "pass")
        paid = self.pay(saved.data["id"], customer=self.customer)
        self.assertEqual(paid.status, "succeeded")
        self.assertIsNone(client.v1.payment_methods.detach(saved.data["id"]).customer)

    def test_a_setup_with_3d_secure_is_read_with_its_attempt(self):
        made = client.v1.setup_intents.create(
            {"payment_method": self.method("4000000000003220"), "confirm": True, "return_url": RETURN_URL,
             "payment_method_options": {"card": {"request_three_d_secure": "any"}}})
        self.assertEqual(made.status, "requires_action")
        read = client.v1.setup_intents.update(made.id, {"expand": ["latest_attempt"]})
        self.assertEqual(read.latest_attempt.payment_method_details.card.last4, "3220")
        error = refused(lambda: client.v1.setup_intents.retrieve("seti_does_not_exist"))
        self.assertEqual((error.code, error.user_message),
                         ("resource_missing", "No such setupintent: 'seti_does_not_exist'"))


class OlderGateway(unittest.TestCase):
    """The gateway libraries of before 2016: charges of card hashes, cards below customers."""

    def ask(self, method, path, **params):
        return client.raw_request(method, path, stripe_version="2015-04-07", **params).data

    def test_a_charge_with_everything_such_a_library_sends(self):
        made = self.ask("post", "/v1/charges", amount=100, currency="usd", description="shoes",
                        metadata={"email": "a@example.com"}, payment_user_agent="Stripe/v1 Bindings/1.0",
                        external_id="7", recurring=True, expand=["balance_transaction"],
                        card=card("4242424242424242", name="Longbob Longsen", address_line2=""))
        self.assertEqual((made["object"], made["paid"], made["metadata"]["email"], made["balance_transaction"]["object"]),
                         ("charge", True, "a@example.com", "balance_transaction"))

    def test_cards_of_a_customer(self):
        made = self.ask("post", "/v1/customers", email="a@example.com", card=card("4242424242424242"))
        first = made["sources"]["data"][0]["id"]
        self.assertEqual(made["default_source"], first)
        added = self.ask("post", f"/v1/customers/{made['id']}/cards", card=card("5105105105105100"))
        self.assertEqual((added["object"], added["last4"]), ("card", "5100"))
        changed = self.ask("post", f"/v1/customers/{made['id']}", default_card=added["id"])
        self.assertEqual((changed["default_source"], changed["sources"]["total_count"]), (added["id"], 2))
        changed = self.ask("post", f"/v1/customers/{made['id']}/cards/{first}", name="John Doe", exp_month=6,
                           exp_year=2031, address_zip="12345")
        self.assertEqual((changed["name"], changed["exp_year"], changed["address_zip"]), ("John Doe", 2031, "12345"))
        paid = self.ask("post", "/v1/charges", amount=100, currency="usd", customer=made["id"])
        self.assertEqual(paid["source"]["id"], added["id"])
        gone = self.ask("delete", f"/v1/customers/{made['id']}/cards/{first}")
        self.assertEqual((gone["id"], gone["deleted"]), (first, True))

    def test_wrong_cards(self):
        for changes, code in [({"number": "4242424242424241"}, "incorrect_number"), ({"number": "-1"}, "invalid_number"),
                              ({"number": "4000000000000069"}, "expired_card"), ({"exp_month": 16}, "invalid_expiry_month"),
                              ({"cvc": "-1"}, "invalid_cvc"), ({"number": "4024007134364842"}, "card_declined")]:
            error = refused(lambda: self.ask("post", "/v1/charges", amount=100, currency="usd",
                                             card={**card("4242424242424242"), **changes}), stripe.CardError)
            self.assertEqual(error.code, code)
        self.assertEqual(error.user_message,
                         "Your card was declined. Your request was in test mode, but used a non test (live) card. For a "
                         "list of valid test cards, visit: https://stripe.com/docs/testing.")

    def test_an_intent_is_paid_with_the_default_card(self):
        buyer = self.ask("post", "/v1/customers", card=card("4242424242424242"))
        paid = client.v1.payment_intents.create(
            {"amount": 3000, "currency": "usd", "confirm": True, "customer": buyer["id"], "capture_method": "manual"},
            {"stripe_version": "2019-02-19"})
        self.assertEqual((paid.status, paid.payment_method), ("requires_capture", buyer["default_source"]))


class Shop(unittest.TestCase):
    """Plugins of shops: an intent for the cart, changed while the payer chooses, confirmed by the page, kept in step."""

    def test_a_parameter_that_the_account_does_not_have_is_named(self):
        # A shop's plugin tries again without it, if this is the parameter that is named.
        error = refused(lambda: client.raw_request(
            "post", "/v1/payment_intents", amount=2000, currency="usd",
            level3={"merchant_reference": "7", "line_items": [{"product_code": "1", "unit_cost": 15}]}))
        self.assertEqual((error.code, error.param, error.user_message),
                         ("parameter_unknown", "level3", "Received unknown parameter: level3"))

    def test_a_cart_is_paid_cancelled_and_refunded_twice(self):
        buyer = client.v1.customers.create({"email": "a@example.com", "name": "Ada", "phone": "", "address": {
            "line1": "1 Main Street", "line2": "", "city": "Durham", "country": "US", "postal_code": "", "state": ""}})
        intent = client.v1.payment_intents.create(
            {"amount": 2000, "currency": "usd", "customer": buyer.id, "metadata": {"session_id": "s1"},
             "capture_method": "manual", "automatic_payment_methods": {"enabled": True}})
        intent = client.v1.payment_intents.update(intent.id, {"amount": 2500})
        self.assertEqual((intent.status, intent.amount), ("requires_payment_method", 2500))
        error = refused(lambda: client.v1.payment_intents.confirm(intent.id))
        self.assertEqual((error.code, error.user_message), (
            "payment_intent_unexpected_state",
            "You cannot confirm this PaymentIntent because it's missing a payment method. To confirm the PaymentIntent "
            f"with {buyer.id}, specify a payment method attached to this customer along with the customer ID."))
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa", "return_url": RETURN_URL})
        client.v1.payment_intents.capture(intent.id, {}, {"idempotency_key": intent.id})
        error = refused(lambda: client.v1.payment_intents.capture(intent.id))
        self.assertEqual((error.code, error.error.payment_intent.status), ("payment_intent_unexpected_state", "succeeded"))
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 2500})
        error = refused(lambda: client.v1.refunds.create({"payment_intent": intent.id, "amount": 2500}))
        self.assertEqual(error.code, "charge_already_refunded")
        other = client.v1.payment_intents.create({"amount": 2000, "currency": "usd"})
        client.v1.payment_intents.cancel(other.id)
        error = refused(lambda: client.v1.payment_intents.cancel(other.id))
        self.assertEqual(error.error.payment_intent.status, "canceled")

    def test_what_needs_a_confirmation_says_so(self):
        error = refused(lambda: client.v1.payment_intents.create(
            {"amount": 2000, "currency": "usd", "return_url": RETURN_URL}))
        self.assertEqual((error.code, error.param, error.user_message), (
            "payment_intent_invalid_parameter", "return_url",
            "The parameter `return_url` cannot be passed when creating a PaymentIntent unless `confirm` is set to true."))
        error = refused(lambda: client.v1.setup_intents.create({"return_url": RETURN_URL}))
        self.assertEqual((error.code, error.param), ("setup_intent_invalid_parameter", "return_url"))

    def test_the_older_way_to_save_a_card(self):
        buyer = client.v1.customers.create({})
        for params, message in [
            ({"customer": buyer.id}, "A payment method must be provided or already attached to the PaymentIntent when "
                                     "`save_payment_method=true`."),
            ({"payment_method": "pm_card_visa"}, "A valid `customer` must be provided when `save_payment_method=true`."),
        ]:
            error = refused(lambda: client.raw_request("post", "/v1/payment_intents", amount=100, currency="usd",
                                                       save_payment_method=True, **params))
            self.assertEqual(error.user_message, message)


class Sample(unittest.TestCase):
    """Samples of the official documentation: a saved card is charged while its holder is away."""

    def test_a_saved_card_wants_its_holder_back(self):
        buyer = client.v1.customers.create({"email": "a@example.com"})
        setup = client.v1.setup_intents.create({"customer": buyer.id, "payment_method_types": ["card"]})
        client.v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa"})
        saved = client.v1.payment_methods.list({"customer": buyer.id, "type": "card"}).data
        paid = client.v1.payment_intents.create(
            {"amount": 1099, "currency": "usd", "customer": buyer.id, "payment_method": saved[0].id,
             "off_session": True, "confirm": True})
        self.assertEqual(paid.status, "succeeded")
        unwilling = client.v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": buyer.id})
        error = refused(lambda: client.v1.payment_intents.create(
            {"amount": 1099, "currency": "usd", "customer": buyer.id, "payment_method": unwilling.id,
             "off_session": True, "confirm": True}), stripe.CardError)
        self.assertEqual((error.code, error.error.payment_method.id), ("authentication_required", unwilling.id))
        again = client.v1.payment_intents.retrieve(error.error.payment_intent.id)
        self.assertEqual((again.status, again.last_payment_error.code),
                         ("requires_payment_method", "authentication_required"))
        self.assertTrue(again.client_secret)


if __name__ == "__main__":
    unittest.main()
