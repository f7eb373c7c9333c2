"""Disputes, files, risk: raised by test cards, answered with evidence that was uploaded, decided some seconds later."""

import io
import time
import unittest
import urllib.request

import stripe

from server import Server

KEY = "sk_test_disputes0123456789abcdefghi"
PATIENCE_SECONDS = 30


class DisputesAndFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        bases = {"api": cls.server.api, "files": cls.server.api}
        cls.client = stripe.StripeClient(KEY, base_addresses=bases)

    @classmethod
    def tearDownClass(cls):
        audited = cls.server.verify()
        cls.server.close()
        if audited.returncode != 0:
            raise AssertionError(audited.stdout + audited.stderr)

    def pay(self, card, **more):
        return self.client.v1.payment_intents.create({
            "amount": 2000, "currency": "usd", "payment_method": card, "confirm": True,
            "payment_method_types": ["card"], "expand": ["latest_charge"], **more})

    def dispute_of(self, intent):
        page = self.client.v1.disputes.list({"payment_intent": intent.id})
        self.assertEqual(1, len(page.data))
        return page.data[0]

    def wait(self, dispute, *status):
        for _ in range(PATIENCE_SECONDS * 10):
            dispute = self.client.v1.disputes.retrieve(dispute.id)
            if dispute.status in status:
                return dispute
            time.sleep(0.1)
        self.fail(f"the dispute stays {dispute.status}")

    def upload(self, **more):
        return self.client.v1.files.create({
            "purpose": "dispute_evidence", "file": io.BytesIO(b"%PDF-1.4 a receipt"), **more})

    def test_a_win_reinstates_the_amount_and_keeps_the_fee(self):
        intent = self.pay("pm_card_createDispute")
        self.assertTrue(intent.latest_charge.disputed)
        dispute = self.dispute_of(intent)
        self.assertEqual(("needs_response", "fraudulent"), (dispute.status, dispute.reason))
        card = dispute.payment_method_details.card
        self.assertEqual(("visa", "chargeback", "10.4"), (card.brand, card.case_type, card.network_reason_code))
        taken = dispute.balance_transactions[0]
        self.assertEqual(("adjustment", "dispute", -2000, 1500, -3500),
                         (taken.type, taken.reporting_category, taken.amount, taken.fee, taken.net))
        self.assertEqual(f"Chargeback withdrawal for {intent.latest_charge.id}", taken.description)
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            self.client.v1.refunds.create({"payment_intent": intent.id})
        self.assertEqual("charge_disputed", refused.exception.code)
        receipt = self.upload()
        answered = self.client.v1.disputes.update(dispute.id, {
            "evidence": {"receipt": receipt.id, "uncategorized_text": "winning_evidence"}, "metadata": {"case": "7"}})
        self.assertEqual(("under_review", receipt.id), (answered.status, answered.evidence.receipt))
        self.assertEqual((1, True), (answered.evidence_details.submission_count, answered.evidence_details.has_evidence))
        won = self.wait(dispute, "won")
        self.assertEqual([-3500, 2000], [moved.net for moved in won.balance_transactions])
        with self.assertRaises(stripe.InvalidRequestError) as closed:
            self.client.v1.disputes.close(dispute.id)
        self.assertEqual("This dispute is already closed", closed.exception.user_message)
        types = [event.type for event in self.client.v1.events.list({"types": [
            "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.updated",
            "charge.dispute.funds_reinstated", "charge.dispute.closed"], "limit": 100}).data
            if event.data.object["id"] == dispute.id]
        self.assertEqual(["charge.dispute.closed", "charge.dispute.funds_reinstated", "charge.dispute.updated",
                          "charge.dispute.funds_withdrawn", "charge.dispute.created"], types)

    def test_losing_closing_and_asking(self):
        lost = self.dispute_of(self.pay("pm_card_createDisputeProductNotReceived"))
        self.client.v1.disputes.update(lost.id, {"evidence": {"uncategorized_text": "losing_evidence"}})
        self.assertEqual(1, len(self.wait(lost, "lost").balance_transactions))
        given_up = self.dispute_of(self.pay("pm_card_createDispute"))
        self.assertEqual("lost", self.client.v1.disputes.close(given_up.id).status)
        inquiry = self.dispute_of(self.pay("pm_card_createDisputeInquiry"))
        self.assertEqual(("warning_needs_response", True, []),
                         (inquiry.status, inquiry.is_charge_refundable, inquiry.balance_transactions))
        self.client.v1.disputes.update(inquiry.id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}})
        self.assertFalse(self.wait(inquiry, "needs_response").is_charge_refundable)

    def test_a_file_comes_back_with_a_key_and_by_a_link(self):
        file = self.upload(file_link_data={"create": True}, expand=["links"])
        self.assertEqual(("file", "dispute_evidence", "pdf", 18), (file.object, file.purpose, file.type, file.size))
        with urllib.request.urlopen(file.links.data[0].url) as answer:
            self.assertEqual(b"%PDF-1.4 a receipt", answer.read())
        request = urllib.request.Request(file.url, headers={"Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request) as answer:
            self.assertEqual(("application/pdf", b"%PDF-1.4 a receipt"), (answer.headers["content-type"], answer.read()))
        link = self.client.v1.file_links.create({"file": file.id, "metadata": {"for": "us"}})
        self.assertEqual([link.id], [one.id for one in self.client.v1.file_links.list({"file": file.id, "limit": 1}).data])
        self.assertTrue(self.client.v1.file_links.update(link.id, {"expires_at": "now"}).expired)
        self.assertIn(file.id, [one.id for one in self.client.v1.files.list({"purpose": "dispute_evidence"}).data])
        with self.assertRaises(stripe.InvalidRequestError):
            self.client.v1.files.create({"purpose": "dispute_evidence", "file": io.BytesIO(b"plain text")})

    def test_the_account_tells_who_it_is(self):
        account = self.client.v1.accounts.retrieve_current()
        self.assertEqual(("account", "US", "usd", True),
                         (account.object, account.country, account.default_currency, account.charges_enabled))
        self.assertEqual("daily", account.settings.payouts.schedule.interval)
        self.assertEqual(account.id, self.client.v1.accounts.retrieve(account.id).id)
        with self.assertRaises(stripe.PermissionError) as refused:
            self.client.v1.accounts.retrieve("acct_1234")
        self.assertEqual("account_invalid", refused.exception.error.code)

    def test_risk(self):
        with self.assertRaises(stripe.CardError) as blocked:
            self.pay("pm_card_radarBlock")
        self.assertEqual(("card_declined", "fraudulent"), (blocked.exception.code, blocked.exception.error.decline_code))
        charge = self.client.v1.charges.retrieve(blocked.exception.error.charge)
        self.assertEqual(("blocked", "not_sent_to_network", "highest_risk_level", "highest", 94, "block_if_high_risk"),
                         (charge.outcome.type, charge.outcome.network_status, charge.outcome.reason,
                          charge.outcome.risk_level, charge.outcome.risk_score, charge.outcome.rule))
        intent = self.pay("pm_card_createIssuerFraudRecord")
        warnings = self.client.v1.radar.early_fraud_warnings.list({"charge": intent.latest_charge.id}).data
        self.assertEqual([True], [warning.actionable for warning in warnings])
        self.client.v1.refunds.create({"payment_intent": intent.id})
        self.assertFalse(self.client.v1.radar.early_fraud_warnings.retrieve(warnings[0].id).actionable)


if __name__ == "__main__":
    unittest.main()
