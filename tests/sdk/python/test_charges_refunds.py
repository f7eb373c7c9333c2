"""Charges as integrations of 2019 make them, and refunds, with the official Python SDK. Run by tests/run."""

import time
import unittest

import stripe
from server import Server

KEY = "sk_test_pythoncharges0123456789abcd"
SETTLED_SECONDS = 30


def setUpModule():
    global server
    server = Server()
    stripe.api_base = server.api
    stripe.api_key = KEY
    stripe.max_network_retries = 0


def tearDownModule():
    server.close()


def charge(amount=2000, source="tok_visa", **params):
    return stripe.Charge.create(amount=amount, currency="usd", source=source, **params)


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def events_of(*ids):
    seen = stripe.Event.list(limit=100).auto_paging_iter()
    return [event.type for event in reversed(list(seen)) if event.data.object.id in ids]


def settled(refund, status):
    """The refund, once it has that status."""
    until = time.monotonic() + SETTLED_SECONDS
    while time.monotonic() < until:
        now = stripe.Refund.retrieve(refund.id)
        if now.status == status:
            return now
        time.sleep(0.1)
    raise AssertionError(f"{refund.id} is {now.status}, not {status}")


class Charges(unittest.TestCase):
    def test_a_charge_shows_what_old_integrations_read(self):
        made = charge(description="shoes", metadata={"order": "7"}, receipt_email="jenny@example.com",
                      statement_descriptor_suffix="shoes", transfer_group="g1",
                      shipping={"name": "Jenny", "address": {"line1": "510 Townsend St"}})
        self.assertEqual((made.object, made.status, made.paid, made.captured, made.refunded),
                         ("charge", "succeeded", True, True, False))
        self.assertIsNone(made.payment_intent)
        self.assertEqual((made.source.object, made.source.brand, made.source.last4, made.source.funding),
                         ("card", "Visa", "4242", "credit"))
        self.assertTrue(made.source.id.startswith("card_"))
        self.assertEqual(made.payment_method, made.source.id)
        card = made.payment_method_details.card
        self.assertEqual((card.brand, card.network, card.checks.cvc_check, card.three_d_secure),
                         ("visa", "visa", "pass", None))
        self.assertEqual((made.outcome.type, made.outcome.network_status, made.outcome.risk_level),
                         ("authorized", "approved_by_network", "normal"))
        self.assertEqual((made.description, made.metadata["order"], made.transfer_group), ("shoes", "7", "g1"))
        self.assertEqual(made.shipping.address.line1, "510 Townsend St")
        self.assertEqual(stripe.Charge.retrieve(made.id).to_dict(), made.to_dict())
        self.assertEqual(events_of(made.id), ["charge.succeeded"])
        transaction = stripe.BalanceTransaction.list(source=made.id).data[0]
        self.assertEqual((transaction.type, transaction.amount, transaction.fee, transaction.description),
                         ("charge", 2000, 88, "shoes"))
        self.assertEqual([one.id for one in stripe.Charge.list(transfer_group="g1").data], [made.id])

    def test_details_of_a_card_are_a_source(self):
        made = charge(source={"object": "card", "number": "5555555555554444", "exp_month": 12, "exp_year": 2034,
                              "cvc": "123", "name": "Jenny Rosen", "address_zip": "94103"})
        self.assertEqual((made.source.brand, made.source.name, made.source.address_zip, made.source.address_zip_check),
                         ("MasterCard", "Jenny Rosen", "94103", "pass"))
        self.assertEqual((made.billing_details.name, made.billing_details.address.postal_code), ("Jenny Rosen", "94103"))

    def test_a_decline_leaves_a_failed_charge_and_names_it(self):
        error = refused(stripe.CardError, lambda: charge(source="tok_chargeDeclinedInsufficientFunds"))
        said = error.error
        self.assertEqual((error.http_status, error.code, said.decline_code), (402, "card_declined", "insufficient_funds"))
        self.assertIsNone(getattr(said, "payment_intent", None))
        failed = stripe.Charge.retrieve(said.charge)
        self.assertEqual((failed.status, failed.paid, failed.failure_code, failed.outcome.type),
                         ("failed", False, "card_declined", "issuer_declined"))
        self.assertIn(failed.id, [one.id for one in stripe.Charge.list(limit=100).auto_paging_iter()])
        self.assertEqual(events_of(failed.id), ["charge.failed"])

    def test_a_hold_is_captured_in_part(self):
        held = charge(capture=False)
        self.assertEqual((held.captured, held.amount_captured, held.balance_transaction), (False, 0, None))
        self.assertEqual(held.payment_method_details.card.capture_before, held.created + 604800)
        captured = held.capture(amount=1500)
        self.assertEqual((captured.captured, captured.amount_captured, captured.amount_refunded), (True, 1500, 0))
        self.assertEqual(refused(stripe.InvalidRequestError, held.capture).code, "charge_already_captured")
        self.assertEqual(events_of(held.id), ["charge.succeeded", "charge.captured"])

    def test_a_hold_that_is_refunded_is_released(self):
        held = charge(capture=False)
        refund = stripe.Refund.create(charge=held.id)
        self.assertEqual((refund.status, refund.balance_transaction, refund.destination_details.card.type),
                         ("succeeded", None, "reversal"))
        after = stripe.Charge.retrieve(held.id)
        self.assertEqual((after.captured, after.refunded, after.amount_refunded), (False, True, 2000))

    def test_a_charge_is_changed_and_found_by_its_customer(self):
        jenny = stripe.Customer.create(name="Jenny")
        made = charge()
        changed = stripe.Charge.modify(made.id, customer=jenny.id, description="boots", metadata={"a": "b"},
                                       fraud_details={"user_report": "safe"})
        self.assertEqual((changed.customer, changed.description, changed.fraud_details.user_report),
                         (jenny.id, "boots", "safe"))
        self.assertEqual([one.id for one in stripe.Charge.list(customer=jenny.id).data], [made.id])
        self.assertEqual(events_of(made.id), ["charge.succeeded", "charge.updated"])

    def test_the_hold_of_an_intent_is_captured_with_its_intent(self):
        intent = stripe.PaymentIntent.create(amount=2000, currency="usd", payment_method="pm_card_visa", confirm=True,
                                             capture_method="manual", return_url="https://example.com")
        captured = stripe.Charge.capture(intent.latest_charge, amount=700)
        self.assertEqual((captured.id, captured.amount_captured), (intent.latest_charge, 700))
        intent = stripe.PaymentIntent.retrieve(intent.id)
        self.assertEqual((intent.status, intent.amount_received), ("succeeded", 700))


class Refunds(unittest.TestCase):
    def test_refunds_go_on_until_nothing_is_left(self):
        made = charge()
        first = stripe.Refund.create(charge=made.id, amount=500, reason="requested_by_customer",
                                     metadata={"why": "small"})
        self.assertEqual((first.status, first.payment_intent, first.reason), ("succeeded", None, "requested_by_customer"))
        too_much = refused(stripe.InvalidRequestError, lambda: stripe.Refund.create(charge=made.id, amount=1501))
        self.assertEqual(too_much.user_message,
                         "Refund amount ($15.01) is greater than unrefunded amount on charge ($15.00)")
        changed = stripe.Refund.modify(first.id, metadata={"why": "worn"})
        self.assertEqual(changed.metadata["why"], "worn")
        second = stripe.Charge.create_refund(made.id) if hasattr(stripe.Charge, "create_refund") else \
            stripe.Refund.create(charge=made.id)
        self.assertEqual(second.amount, 1500)
        listed = stripe.Charge.list_refunds(made.id)
        self.assertEqual((listed.url, [one.id for one in listed.data]),
                         (f"/v1/charges/{made.id}/refunds", [second.id, first.id]))
        self.assertEqual(stripe.Charge.retrieve_refund(made.id, first.id).id, first.id)
        self.assertEqual(refused(stripe.InvalidRequestError, lambda: stripe.Refund.create(charge=made.id)).code,
                         "charge_already_refunded")
        refusal = refused(stripe.InvalidRequestError, lambda: stripe.Refund.cancel(first.id))
        self.assertIn("unsupported", refusal.user_message)

    def test_a_pending_refund_succeeds_later(self):
        made = charge(source="tok_pendingRefund")
        refund = stripe.Refund.create(charge=made.id)
        self.assertEqual((refund.status, refund.pending_reason), ("pending", "processing"))
        settled(refund, "succeeded")
        self.assertEqual(events_of(refund.id), ["refund.created", "refund.updated", "charge.refund.updated"])

    def test_a_failing_refund_gives_the_money_back(self):
        made = charge(source="tok_refundFail")
        refund = stripe.Refund.create(charge=made.id)
        self.assertEqual(refund.status, "succeeded")
        failed = settled(refund, "failed")
        self.assertEqual(failed.failure_reason, "expired_or_canceled_card")
        back = stripe.BalanceTransaction.retrieve(failed.failure_balance_transaction)
        self.assertEqual((back.type, back.amount, back.source), ("refund_failure", 2000, refund.id))
        self.assertEqual(stripe.Charge.retrieve(made.id).amount_refunded, 0)
        self.assertEqual(events_of(refund.id)[-3:], ["refund.failed", "refund.updated", "charge.refund.updated"])


class ZAudit(unittest.TestCase):
    def test_everything_adds_up_afterwards(self):
        """Runs last (by name): the data of all of these is audited."""
        held = charge(capture=False)
        done = server.verify()
        server.start()
        stripe.api_base = server.api
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(stripe.Charge.retrieve(held.id).captured, False)


if __name__ == "__main__":
    unittest.main()
