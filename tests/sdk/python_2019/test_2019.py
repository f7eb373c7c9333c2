"""An integration of 2019 that was never touched again: the official SDK of that time, charges with tokens and cards on
customers, and an API version of its own day. Run by tests/run."""

import pathlib
import sys
import unittest
import uuid

import stripe

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))
from server import Server  # noqa: E402

VERSION = "2019-05-16"


def setUpModule():
    global server
    server = Server()
    stripe.api_base = server.api
    stripe.upload_api_base = server.api
    stripe.api_key = "sk_test_python2019x0123456789abcdef"
    stripe.api_version = VERSION
    stripe.max_network_retries = 0


def tearDownModule():
    server.close()


class Charges(unittest.TestCase):
    def test_seven_lines(self):
        charge = stripe.Charge.create(amount=2000, currency="usd", source="tok_visa", description="a book",
                                      metadata={"order": "6735"})
        self.assertEqual((charge.object, charge.status, charge.paid, charge.captured),
                         ("charge", "succeeded", True, True))
        self.assertEqual((charge.source.object, charge.source.brand, charge.source.last4), ("card", "Visa", "4242"))
        self.assertEqual(charge.outcome.type, "authorized")
        self.assertIsNone(charge.payment_intent)
        self.assertEqual((charge.refunds.object, charge.refunds.data), ("list", []))
        self.assertEqual(stripe.Charge.retrieve(charge.id).to_dict_recursive(), charge.to_dict_recursive())
        transaction = stripe.BalanceTransaction.retrieve(charge.balance_transaction)
        self.assertEqual((transaction.amount, transaction.fee, transaction.net, transaction.source),
                         (2000, 88, 1912, charge.id))

    def test_a_token_of_a_browser_pays_once(self):
        token = stripe.Token.create(card={"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"})
        self.assertEqual((token.object, token.type, token.used, token.card.last4), ("token", "card", False, "4242"))
        charge = stripe.Charge.create(amount=700, currency="usd", source=token.id)
        self.assertEqual(charge.source.exp_year, 2034)
        self.assertTrue(stripe.Token.retrieve(token.id).used)
        with self.assertRaises(stripe.error.InvalidRequestError):
            stripe.Charge.create(amount=700, currency="usd", source=token.id)

    def test_a_declined_card_says_why_and_leaves_a_failed_charge(self):
        with self.assertRaises(stripe.error.CardError) as caught:
            stripe.Charge.create(amount=2000, currency="usd", source="tok_chargeDeclinedInsufficientFunds")
        error = caught.exception
        self.assertEqual((error.http_status, error.code, error.json_body["error"]["decline_code"]),
                         (402, "card_declined", "insufficient_funds"))
        failed = stripe.Charge.retrieve(error.json_body["error"]["charge"])
        self.assertEqual((failed.status, failed.paid, failed.failure_code), ("failed", False, "card_declined"))

    def test_hold_capture_and_refund(self):
        held = stripe.Charge.create(amount=1000, currency="usd", source="tok_mastercard", capture=False)
        self.assertFalse(held.captured)
        self.assertIsNone(held.balance_transaction)
        captured = stripe.Charge.retrieve(held.id).capture(amount=800)
        self.assertTrue(captured.captured)
        with self.assertRaises(stripe.error.InvalidRequestError) as caught:
            captured.capture()
        self.assertEqual(caught.exception.code, "charge_already_captured")
        refund = stripe.Refund.create(charge=held.id, amount=300)
        self.assertEqual((refund.status, refund.amount), ("succeeded", 300))
        after = stripe.Charge.retrieve(held.id)
        self.assertEqual(after.refunds.data[0].id, refund.id)
        with self.assertRaises(stripe.error.InvalidRequestError):
            stripe.Refund.create(charge=held.id, amount=501)

    def test_a_key_charges_once(self):
        key = str(uuid.uuid4())
        first = stripe.Charge.create(amount=900, currency="usd", source="tok_visa", idempotency_key=key)
        again = stripe.Charge.create(amount=900, currency="usd", source="tok_visa", idempotency_key=key)
        self.assertEqual(first.id, again.id)
        with self.assertRaises(stripe.error.IdempotencyError):
            stripe.Charge.create(amount=901, currency="usd", source="tok_visa", idempotency_key=key)


class Customers(unittest.TestCase):
    def test_cards_on_a_customer(self):
        customer = stripe.Customer.create(email="jenny@example.com", source="tok_visa")
        self.assertEqual((customer.sources.object, customer.sources.data[0].last4), ("list", "4242"))
        self.assertEqual(customer.default_source, customer.sources.data[0].id)
        charge = stripe.Charge.create(amount=500, currency="usd", customer=customer.id)
        self.assertEqual((charge.customer, charge.source.id), (customer.id, customer.default_source))

        card = stripe.Customer.create_source(customer.id, source="tok_mastercard")
        self.assertEqual((card.object, card.brand, card.customer), ("card", "MasterCard", customer.id))
        stripe.Customer.modify(customer.id, default_source=card.id)
        charge = stripe.Charge.create(amount=500, currency="usd", customer=customer.id)
        self.assertEqual(charge.source.id, card.id)
        chosen = stripe.Charge.create(amount=500, currency="usd", customer=customer.id, source=customer.default_source)
        self.assertEqual(chosen.source.id, customer.default_source)
        self.assertEqual({one.id for one in stripe.Customer.list_sources(customer.id, object="card").auto_paging_iter()},
                         {card.id, customer.default_source})
        deleted = stripe.Customer.delete_source(customer.id, card.id)
        self.assertTrue(deleted.deleted)
        self.assertEqual(stripe.Customer.retrieve(customer.id).default_source, customer.default_source)

    def test_a_deleted_customer_leaves_a_stub(self):
        customer = stripe.Customer.create(description="leaves")
        self.assertTrue(customer.delete().deleted)
        self.assertTrue(stripe.Customer.retrieve(customer.id).deleted)
        with self.assertRaises(stripe.error.InvalidRequestError):
            stripe.Charge.create(amount=500, currency="usd", customer=customer.id)

    def test_a_card_that_is_refused_is_not_saved(self):
        with self.assertRaises(stripe.error.CardError) as caught:
            stripe.Customer.create(source="tok_chargeDeclined")
        self.assertEqual(caught.exception.http_status, 402)


class Intents(unittest.TestCase):
    def test_an_intent_of_that_time_shows_its_charges(self):
        intent = stripe.PaymentIntent.create(amount=1500, currency="usd", payment_method_types=["card"],
                                             payment_method="pm_card_visa", confirm=True)
        self.assertEqual(intent.status, "succeeded")
        self.assertEqual((intent.charges.object, len(intent.charges.data)), ("list", 1))
        self.assertEqual(intent.charges.data[0].amount, 1500)
        self.assertEqual(intent.capture_method, "automatic")

    def test_manual_confirmation(self):
        intent = stripe.PaymentIntent.create(amount=1500, currency="eur", payment_method_types=["card"])
        self.assertEqual(intent.status, "requires_payment_method")
        intent = stripe.PaymentIntent.modify(intent.id, payment_method="pm_card_visa", amount=1600)
        self.assertEqual(intent.status, "requires_confirmation")
        self.assertEqual(intent.confirm().amount_received, 1600)


class Money(unittest.TestCase):
    def test_a_disputed_charge(self):
        charge = stripe.Charge.create(amount=4000, currency="usd", source="tok_createDispute")
        dispute = stripe.Dispute.retrieve(stripe.Charge.retrieve(charge.id).dispute)
        self.assertEqual((dispute.status, dispute.charge, dispute.amount), ("needs_response", charge.id, 4000))
        closed = dispute.close()
        self.assertEqual(closed.status, "lost")

    def test_balance_history_and_events(self):
        charge = stripe.Charge.create(amount=4000, currency="usd", source="tok_visa")
        sources = [row.source for row in stripe.BalanceTransaction.list(limit=100).auto_paging_iter()]
        self.assertIn(charge.id, sources)
        events = [event for event in stripe.Event.list(limit=100, type="charge.succeeded").auto_paging_iter()
                  if event.data.object.id == charge.id]
        self.assertEqual(len(events), 1)


if __name__ == "__main__":
    unittest.main()
