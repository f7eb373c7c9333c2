"""What integrations compare word by word or look for in an answer: refusals with the object they are about, what a refund
and a dispute show, lists of payment methods."""

import time
import unittest

import stripe

from server import Server

KEY = "sk_test_wordings0123456789abcdefghi"
PATIENCE_SECONDS = 30


class Wordings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.v1 = stripe.StripeClient(KEY, base_addresses={"api": cls.server.api}).v1

    @classmethod
    def tearDownClass(cls):
        audited = cls.server.verify()
        cls.server.close()
        if audited.returncode != 0:
            raise AssertionError(audited.stdout + audited.stderr)

    def pay(self, card="pm_card_visa", **more):
        return self.v1.payment_intents.create({
            "amount": 2000, "currency": "usd", "payment_method": card, "confirm": True,
            "payment_method_types": ["card"], "expand": ["latest_charge"], **more})

    def customer(self, **more):
        owner = self.v1.customers.create({"name": "Ada", "email": "ada@example.com", **more})
        return owner, self.v1.payment_methods.attach("pm_card_visa", {"customer": owner.id})

    def refused(self, ask):
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            ask()
        return caught.exception

    def until(self, look, seen):
        for _ in range(PATIENCE_SECONDS * 10):
            found = look()
            if seen(found):
                return found
            time.sleep(0.1)
        self.fail(f"it stays {found}")

    def test_a_refusal_shows_the_intent_it_is_about(self):
        held = self.pay(capture_method="manual")
        too_much = self.refused(lambda: self.v1.payment_intents.capture(held.id, {"amount_to_capture": 2001}))
        self.assertEqual(("amount_too_large", None, held.id),
                         (too_much.code, too_much.param, too_much.error.payment_intent.id))
        none = self.refused(lambda: self.v1.payment_intents.capture(held.id, {"amount_to_capture": 0}))
        self.assertEqual(("parameter_invalid_integer", held.id), (none.code, none.error.payment_intent.id))
        self.v1.payment_intents.capture(held.id, {"amount_to_capture": 500})
        again = self.refused(lambda: self.v1.payment_intents.capture(held.id))
        self.assertIn("remaining amount", again.user_message)
        self.assertEqual("succeeded", again.error.payment_intent.status)
        over = self.refused(lambda: self.v1.payment_intents.cancel(held.id))
        self.assertIn("requires_reauthorization, requires_confirmation, requires_action, expired, processing.",
                      over.user_message)
        owner, method = self.customer()
        intent = self.v1.payment_intents.create({"amount": 500, "currency": "usd", "payment_method_types": ["card"]})
        foreign = self.refused(lambda: self.v1.payment_intents.confirm(intent.id, {"payment_method": method.id}))
        self.assertEqual(("source", intent.id), (foreign.param, foreign.error.payment_intent.id))
        self.assertIn(owner.id, foreign.user_message)
        setup = self.v1.setup_intents.create({"customer": self.v1.customers.create({}).id, "payment_method_types": ["card"]})
        foreign = self.refused(lambda: self.v1.setup_intents.confirm(setup.id, {"payment_method": method.id}))
        self.assertEqual((None, setup.id), (foreign.code, foreign.error.setup_intent.id))
        self.v1.setup_intents.cancel(setup.id)
        self.assertIn("has been canceled", self.refused(lambda: self.v1.setup_intents.confirm(setup.id)).user_message)
        self.assertIn("already canceled", self.refused(lambda: self.v1.setup_intents.cancel(setup.id)).user_message)

    def test_a_refund_names_who_gets_it_and_its_reference_comes_later(self):
        owner, method = self.customer()
        intent = self.pay(method.id, customer=owner.id)
        refund = self.v1.refunds.create({"payment_intent": intent.id, "amount": 500, "expand": ["customer"]})
        self.assertEqual(("ada@example.com", method.id), (refund.customer.email, refund.payment_method))
        card = refund.destination_details.card
        self.assertEqual(("pending", None), (card.reference_status, getattr(card, "reference", None)))
        later = self.until(lambda: self.v1.refunds.retrieve(refund.id).destination_details.card,
                           lambda card: card.reference_status == "available")
        self.assertTrue(later.reference)
        self.assertEqual("Canceling this refund is unsupported.",
                         self.refused(lambda: self.v1.refunds.cancel(refund.id)).user_message)
        charge = self.v1.charges.retrieve(intent.latest_charge.id, {"expand": ["refunds.data.balance_transaction"]})
        self.assertEqual((1, f"/v1/charges/{charge.id}/refunds", -500),
                         (charge.refunds.total_count, charge.refunds.url,
                          charge.refunds.data[0].balance_transaction.amount))
        held = self.pay(capture_method="manual")
        self.assertIn(f"({held.id})", self.refused(
            lambda: self.v1.refunds.create({"charge": held.latest_charge.id})).user_message)

    def test_a_dispute_opens_with_what_is_known_and_a_won_one_may_be_refunded(self):
        owner, _ = self.customer()
        method = self.v1.payment_methods.attach("pm_card_createDispute", {"customer": owner.id})
        intent = self.pay(method.id, customer=owner.id, description="Two cups")
        charge = intent.latest_charge.id
        dispute = self.until(lambda: self.v1.disputes.list({"charge": charge}).data, bool)[0]
        told = dispute.evidence
        self.assertEqual(("ada@example.com", "Ada", "Two cups"),
                         (told.customer_email_address, told.customer_name, told.product_description))
        self.assertEqual("visa", dispute.payment_method_details.card.network)
        self.assertEqual(dispute.balance_transaction, dispute.balance_transactions[0].id)
        self.assertEqual(dispute.id, self.by_charge("get", charge).id)
        changed = self.by_charge("post", charge, metadata={"case": "7"})
        self.assertEqual(({"case": "7"}, "needs_response"), (changed.metadata.to_dict(), changed.status))
        self.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
        self.until(lambda: self.v1.disputes.retrieve(dispute.id).status, lambda status: status == "won")
        self.assertTrue(self.v1.disputes.retrieve(dispute.id).is_charge_refundable)
        self.assertEqual("succeeded", self.v1.refunds.create({"charge": charge}).status)
        clean = self.pay().latest_charge.id
        none = self.refused(lambda: self.by_charge("get", clean))
        self.assertEqual((404, None, f"No dispute for charge: {clean}"),
                         (none.http_status, none.code, none.user_message))

    def by_charge(self, method, charge, **params):
        client = stripe.StripeClient(KEY, base_addresses={"api": self.server.api})
        answer = client.raw_request(method, f"/v1/charges/{charge}/dispute", **params)
        return client.deserialize(answer, api_mode="V1")

    def test_lists_of_payment_methods_are_a_customers(self):
        owner, method = self.customer()
        other = self.v1.customers.create({})
        self.assertEqual([], self.v1.payment_methods.list().data)
        self.assertEqual([method.id], [one.id for one in self.v1.payment_methods.list({"customer": owner.id}).data])
        foreign = self.refused(lambda: self.v1.customers.payment_methods.retrieve(other.id, method.id))
        self.assertEqual((404, None, "customer", "Invalid request"),
                         (foreign.http_status, foreign.code, foreign.param, foreign.user_message))
        unknown = self.refused(lambda: self.v1.customers.payment_methods.list("cus_nobody"))
        self.assertEqual((404, "resource_missing", "id"), (unknown.http_status, unknown.code, unknown.param))
        self.v1.customers.delete(other.id)
        gone = self.refused(lambda: self.v1.payment_methods.list({"customer": other.id}))
        self.assertEqual((400, "resource_missing", "customer"), (gone.http_status, gone.code, gone.param))

    def test_a_customer_expands_credit_and_tax(self):
        expand = ["tax", "invoice_credit_balance"]
        fresh = self.v1.customers.create({"expand": expand})
        self.assertEqual(({}, "unrecognized_location"), (fresh.invoice_credit_balance.to_dict(), fresh.tax.automatic_tax))
        self.v1.customers.balance_transactions.create(fresh.id, {"amount": -750, "currency": "eur"})
        owed = self.v1.customers.retrieve(fresh.id, {"expand": expand})
        self.assertEqual({"eur": 750}, owed.invoice_credit_balance.to_dict())


if __name__ == "__main__":
    unittest.main()
