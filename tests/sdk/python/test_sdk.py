"""The official Python SDK, unmodified, against a running Tollgate. Run by tests/run."""

import signal
import unittest
import urllib.request
import uuid

import stripe
from server import Server

KEY = "sk_test_pythonsuite0123456789abcdef"
OTHER_KEY = "sk_test_otheraccount0123456789abcdef"


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def client(key=KEY, **options):
    return stripe.StripeClient(key, base_addresses={"api": server.api}, max_network_retries=0, **options)


def pay(amount=2500, key=None, **params):
    body = {"amount": amount, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True, **params}
    options = {"idempotency_key": key} if key else {}
    return client().v1.payment_intents.create(body, options)


class Payments(unittest.TestCase):
    def test_a_confirmed_payment_succeeds_and_is_seen_everywhere(self):
        intent = pay(2500, description="a book", metadata={"order": "6735"})
        self.assertEqual((intent.object, intent.status, intent.amount_received), ("payment_intent", "succeeded", 2500))
        self.assertTrue(intent.client_secret.startswith(intent.id + "_secret_"))
        self.assertEqual(intent.metadata["order"], "6735")
        self.assertEqual(client().v1.payment_intents.retrieve(intent.id).to_dict(), intent.to_dict())
        self.assertIn(intent.id, [seen.id for seen in client().v1.payment_intents.list({"limit": 100}).data])

        charge = client().v1.charges.retrieve(intent.latest_charge, {"expand": ["balance_transaction"]})
        self.assertTrue(charge.paid and charge.captured)
        self.assertEqual(charge.payment_method_details.card.last4, "4242")
        transaction = charge.balance_transaction
        self.assertEqual((transaction.amount, transaction.fee, transaction.net), (2500, 103, 2397))
        self.assertEqual(client().v1.balance_transactions.retrieve(transaction.id).source, charge.id)

        events = [event for event in client().v1.events.list({"limit": 100}).data
                  if event.data.object.id in (intent.id, charge.id)]
        self.assertEqual([event.type for event in reversed(events)],
                         ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"])
        self.assertEqual(events[-1].data.object.status, "requires_payment_method")

    def test_the_balance_is_the_sum_of_the_transactions(self):
        pay(1000)
        balance = client().v1.balance.retrieve()
        shown = sum(part.amount for part in [*balance.pending, *balance.available] if part.currency == "usd")
        nets = sum(row.net for row in client().v1.balance_transactions.list({"limit": 100}).auto_paging_iter()
                   if row.currency == "usd")
        self.assertEqual(shown, nets)

    def test_expansion_shows_objects_in_place(self):
        customer = client().v1.customers.create({"email": "jenny@example.com"})
        intent = pay(700, customer=customer.id, expand=["customer", "latest_charge.balance_transaction"])
        self.assertEqual(intent.customer.email, "jenny@example.com")
        self.assertEqual(intent.latest_charge.balance_transaction.amount, 700)

    def test_manual_capture_takes_a_part_and_releases_the_rest(self):
        intent = pay(5000, capture_method="manual")
        self.assertEqual((intent.status, intent.amount_capturable), ("requires_capture", 5000))
        captured = client().v1.payment_intents.capture(intent.id, {"amount_to_capture": 3000})
        self.assertEqual((captured.status, captured.amount_received, captured.amount_capturable), ("succeeded", 3000, 0))
        charge = client().v1.charges.retrieve(captured.latest_charge)
        self.assertEqual((charge.amount_captured, charge.amount_refunded, charge.refunded), (3000, 0, False))

    def test_a_hold_can_be_cancelled_once(self):
        intent = pay(5000, capture_method="manual")
        canceled = client().v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
        self.assertEqual((canceled.status, canceled.cancellation_reason), ("canceled", "abandoned"))
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            client().v1.payment_intents.cancel(intent.id)
        self.assertEqual(refused.exception.code, "payment_intent_unexpected_state")

    def test_confirm_in_a_second_step(self):
        intent = client().v1.payment_intents.create({"amount": 900, "currency": "eur"})
        self.assertEqual(intent.status, "requires_payment_method")
        confirmed = client().v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_mastercard"})
        self.assertEqual((confirmed.status, confirmed.amount_received), ("succeeded", 900))

    def test_refunds_stop_at_the_capture(self):
        intent = pay(1000)
        part = client().v1.refunds.create({"payment_intent": intent.id, "amount": 400})
        self.assertEqual((part.status, part.amount, part.charge), ("succeeded", 400, intent.latest_charge))
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            client().v1.refunds.create({"charge": intent.latest_charge, "amount": 601})
        self.assertIn("greater than unrefunded amount on charge ($6.00)", refused.exception.user_message)
        client().v1.refunds.create({"charge": intent.latest_charge})
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            client().v1.refunds.create({"charge": intent.latest_charge})
        self.assertEqual(refused.exception.code, "charge_already_refunded")
        charge = client().v1.charges.retrieve(intent.latest_charge)
        self.assertEqual((charge.amount_refunded, charge.refunded), (1000, True))
        self.assertEqual([refund.amount for refund in client().v1.refunds.list({"charge": charge.id}).data], [600, 400])
        self.assertEqual(client().v1.refunds.retrieve(part.id).id, part.id)


class Declines(unittest.TestCase):
    ROWS = [  # TESTDATA: name, code, decline_code, advice_code
        ("visa_chargeDeclined", "card_declined", "generic_decline", "try_again_later"),
        ("visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", "try_again_later"),
        ("visa_chargeDeclinedLostCard", "card_declined", "lost_card", "do_not_try_again"),
        ("visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", "do_not_try_again"),
        ("visa_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded", "try_again_later"),
        ("chargeDeclinedExpiredCard", "expired_card", "expired_card", "confirm_card_data"),
        ("chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", "confirm_card_data"),
        ("chargeDeclinedProcessingError", "processing_error", "processing_error", "try_again_later"),
    ]

    def test_every_plain_decline_is_a_card_error(self):
        for name, code, decline_code, advice_code in self.ROWS:
            with self.subTest(name), self.assertRaises(stripe.CardError) as declined:
                pay(1500, payment_method="pm_card_" + name)
            error = declined.exception.error
            self.assertEqual(declined.exception.http_status, 402, name)
            self.assertEqual((error.code, error.decline_code, error.advice_code), (code, decline_code, advice_code))
            self.assertEqual(error.payment_intent.status, "requires_payment_method")
            self.assertEqual(error.payment_intent.last_payment_error.code, code)
            self.assertEqual(error.payment_method.object, "payment_method")
            charge = client().v1.charges.retrieve(error.charge)
            self.assertEqual((charge.status, charge.paid, charge.captured), ("failed", False, False))
            self.assertEqual(charge.outcome.reason, decline_code)

    def test_a_declined_intent_can_be_confirmed_with_another_card(self):
        intent = client().v1.payment_intents.create({"amount": 1500, "currency": "usd"})
        with self.assertRaises(stripe.CardError):
            client().v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_chargeDeclined"})
        paid = client().v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
        self.assertEqual((paid.status, paid.last_payment_error), ("succeeded", None))


class Remote(unittest.TestCase):
    def test_a_remote_network_approves_declines_and_stays_silent(self):
        self.assertEqual(pay(1100, payment_method="pm_card_tollgate_remote").status, "succeeded")
        with self.assertRaises(stripe.CardError):
            pay(1100, payment_method="pm_card_tollgate_remoteDecline")

    def test_a_hold_on_the_remote_network_is_captured_and_refunded(self):
        intent = pay(2000, payment_method="pm_card_tollgate_remote", capture_method="manual")
        self.assertEqual(intent.status, "requires_capture")
        captured = client().v1.payment_intents.capture(intent.id, {"amount_to_capture": 1500})
        self.assertEqual((captured.status, captured.amount_received), ("succeeded", 1500))
        self.assertEqual(client().v1.refunds.create({"payment_intent": intent.id}).status, "succeeded")

    def test_an_older_charge_goes_over_the_remote_network(self):
        charge = client().v1.charges.create({"amount": 2000, "currency": "usd", "source": "tok_tollgate_remote"})
        self.assertEqual((charge.status, charge.captured, charge.source.last4), ("succeeded", True, "0018"))
        with self.assertRaises(stripe.CardError) as declined:
            client().v1.charges.create({"amount": 2000, "currency": "usd", "source": "tok_tollgate_remoteDecline"})
        self.assertEqual(client().v1.charges.retrieve(declined.exception.error.charge).status, "failed")
        hold = client().v1.charges.create(
            {"amount": 2000, "currency": "usd", "source": "tok_tollgate_remote", "capture": False}
        )
        self.assertEqual(client().v1.charges.capture(hold.id, {"amount": 1500}).amount_captured, 1500)

    def test_a_setup_asks_the_remote_network(self):
        setup = client().v1.setup_intents.create({"payment_method": "pm_card_tollgate_remote", "confirm": True})
        self.assertEqual(setup.status, "succeeded")
        with self.assertRaises(stripe.CardError):
            client().v1.setup_intents.create({"payment_method": "pm_card_tollgate_remoteDecline", "confirm": True})


class Idempotency(unittest.TestCase):
    def test_a_retry_gets_the_first_answer(self):
        key = str(uuid.uuid4())
        first, again = pay(1200, key), pay(1200, key)
        self.assertEqual(first.last_response.body, again.last_response.body)
        self.assertEqual(again.last_response.headers["idempotent-replayed"], "true")
        self.assertEqual(again.last_response.headers["original-request"], first.last_response.request_id)

    def test_another_amount_under_the_same_key_is_refused(self):
        key = str(uuid.uuid4())
        pay(1200, key)
        with self.assertRaises(stripe.IdempotencyError):
            pay(1300, key)

    def test_a_declined_payment_is_replayed_too(self):
        key, bodies = str(uuid.uuid4()), []
        for _ in range(2):
            with self.assertRaises(stripe.CardError) as declined:
                pay(1200, key, payment_method="pm_card_chargeDeclined")
            bodies.append(declined.exception.http_body)
        self.assertEqual(bodies[0], bodies[1])

    def test_an_error_says_where_its_request_can_be_looked_up(self):
        with self.assertRaises(stripe.InvalidRequestError) as missing:
            client().v1.charges.retrieve("ch_nope")
        refused = missing.exception
        url = refused.json_body["error"]["request_log_url"]
        self.assertTrue(url.startswith(f"{server.api}/logs/{refused.request_id}?t="), url)
        with urllib.request.urlopen(url) as page:
            self.assertIn(refused.request_id, page.read().decode())
        nobody = stripe.StripeClient("sk_nobody", base_addresses={"api": server.api}, max_network_retries=0)
        with self.assertRaises(stripe.AuthenticationError) as unknown:
            nobody.v1.charges.retrieve("ch_nope")
        self.assertNotIn("request_log_url", unknown.exception.json_body["error"])


class Customers(unittest.TestCase):
    def test_create_retrieve_update_list(self):
        customer = client().v1.customers.create({"name": "Jenny", "metadata": {"a": "1", "b": "2"}})
        updated = client().v1.customers.update(customer.id, {"name": "Rosen", "metadata": {"a": ""}})
        self.assertEqual((updated.name, updated.metadata.to_dict()), ("Rosen", {"b": "2"}))
        self.assertEqual(client().v1.customers.retrieve(customer.id).name, "Rosen")
        self.assertIn(customer.id, [seen.id for seen in client().v1.customers.list().data])
        event = client().v1.events.list({"type": "customer.updated", "limit": 1}).data[0]
        self.assertEqual(event.data.previous_attributes.to_dict(), {"metadata": {"a": "1"}, "name": "Jenny"})

    def test_auto_paging_walks_both_ways(self):
        key = "sk_test_paging0123456789abcdefghij"
        made = [client(key).v1.customers.create({"name": str(at)}).id for at in range(23)]
        seen = [customer.id for customer in client(key).v1.customers.list({"limit": 5}).auto_paging_iter()]
        self.assertEqual(seen, made[::-1])
        page = client(key).v1.customers.list({"limit": 5, "ending_before": made[0]})
        self.assertEqual([customer.id for customer in page.data], made[5:0:-1])
        self.assertEqual([customer.id for customer in page.auto_paging_iter()], made[1:])


class Errors(unittest.TestCase):
    def test_wrong_input_names_the_parameter(self):
        for body, code, param in [
            ({"currency": "usd"}, "parameter_missing", "amount"),
            ({"amount": 100}, "parameter_missing", "currency"),
            ({"amount": "abc", "currency": "usd"}, "parameter_invalid_integer", "amount"),
            ({"amount": 100, "currency": "usd", "colour": "red"}, "parameter_unknown", "colour"),
            ({"amount": 10, "currency": "usd"}, "amount_too_small", "amount"),
            ({"amount": 100, "currency": "usd", "customer": "cus_nobody"}, "resource_missing", "customer"),
        ]:
            with self.subTest(body), self.assertRaises(stripe.InvalidRequestError) as refused:
                client().v1.payment_intents.create(body)
            self.assertEqual((refused.exception.code, refused.exception.param), (code, param))
            self.assertTrue(refused.exception.request_id.startswith("req_"))

    def test_another_account_sees_nothing(self):
        intent = pay(1000)
        for look in (lambda c: c.payment_intents.retrieve(intent.id), lambda c: c.charges.retrieve(intent.latest_charge)):
            with self.assertRaises(stripe.InvalidRequestError) as refused:
                look(client(OTHER_KEY).v1)
            self.assertEqual((refused.exception.http_status, refused.exception.code), (404, "resource_missing"))

    def test_a_wrong_key_is_an_authentication_error(self):
        with self.assertRaises(stripe.AuthenticationError):
            client("not_a_key").v1.balance.retrieve()


class Versions(unittest.TestCase):
    def test_2020_08_27_carries_the_charges(self):
        intent = pay(1000)
        old = client(stripe_version="2020-08-27").v1.payment_intents.retrieve(intent.id)
        self.assertEqual([charge.id for charge in old.charges.data], [intent.latest_charge])
        self.assertEqual(old.charges.data[0].refunds.data, [])
        self.assertEqual(old.last_response.headers["stripe-version"], "2020-08-27")
        self.assertNotIn("charges", intent.to_dict())


class Crash(unittest.TestCase):
    def test_a_killed_server_has_the_money_where_it_was(self):
        key = str(uuid.uuid4())
        first = pay(4200, key)
        before = client().v1.balance.retrieve().to_dict()
        for how in (signal.SIGKILL, signal.SIGTERM):
            status = server.restart(how)
            if how == signal.SIGTERM:
                self.assertEqual(status, 0)
            self.assertEqual(client().v1.balance.retrieve().to_dict(), before)
            self.assertEqual(client().v1.payment_intents.retrieve(first.id).to_dict(), first.to_dict())
            self.assertEqual(pay(4200, key).last_response.body, first.last_response.body)
        audit = server.verify()
        self.assertEqual(audit.returncode, 0, audit.stdout + audit.stderr)
        server.start()


if __name__ == "__main__":
    unittest.main()
