"""Customers and what is theirs, with the official Python SDK, unmodified. Run by tests/run."""

import time
import unittest

import stripe
from server import Server

KEY = "sk_test_pythoncustomers0123456789ab"
# How long a register may take until it answers, in seconds; a test fails rather than waits longer.
PATIENCE_SECONDS = 20


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def client(**options):
    return stripe.StripeClient(KEY, base_addresses={"api": server.api}, max_network_retries=0, **options)


def events_about(*ids):
    """Types of the events about these objects, in the order they happened."""
    newest_first = client().v1.events.list({"limit": 100}).auto_paging_iter()
    return [event.type for event in reversed(list(newest_first)) if event.data.object.id in ids]


class Customers(unittest.TestCase):
    def test_every_field_is_kept_and_changed(self):
        customers = client().v1.customers
        made = customers.create({
            "name": "Ada", "email": "ada@example.com", "phone": "+15551234", "description": "first",
            "address": {"line1": "1 Main St", "country": "US"}, "preferred_locales": ["en", "de"],
            "shipping": {"name": "Ada", "address": {"line1": "1 Main St"}},
            "invoice_settings": {"custom_fields": [{"name": "PO", "value": "7"}], "footer": "thanks",
                                 "rendering_options": {"amount_tax_display": "exclude_tax"}},
            "next_invoice_sequence": 12, "tax": {"ip_address": "192.0.2.7"}, "tax_exempt": "exempt",
            "metadata": {"tier": "gold"}, "expand": ["tax"]})
        self.assertEqual((made.object, made.livemode, made.delinquent), ("customer", False, False))
        self.assertEqual(made.invoice_settings.custom_fields[0].value, "7")
        self.assertEqual(made.invoice_settings.rendering_options.amount_tax_display, "exclude_tax")
        self.assertEqual((made.next_invoice_sequence, made.tax_exempt), (12, "exempt"))
        self.assertEqual((made.tax.ip_address, made.tax.automatic_tax), ("192.0.2.7", "unrecognized_location"))
        self.assertNotIn("tax", customers.retrieve(made.id))

        changed = customers.update(made.id, {"name": "Ada L.", "phone": "", "metadata": {"tier": ""}})
        self.assertEqual((changed.name, changed.phone, changed.metadata.to_dict()), ("Ada L.", None, {}))
        self.assertEqual(changed.address.line1, "1 Main St")
        updated = client().v1.events.list({"type": "customer.updated", "limit": 1}).data[0]
        self.assertEqual(updated.data.previous_attributes.to_dict(),
                         {"metadata": {"tier": "gold"}, "name": "Ada", "phone": "+15551234"})

    def test_lists_find_by_email_and_page_both_ways(self):
        customers = client().v1.customers
        mine = [customers.create({"email": "paging@example.com", "name": str(nth)}).id for nth in range(5)]
        customers.create({"email": "other@example.com"})
        customers.delete(mine[2])
        left = [mine[4], mine[3], mine[1], mine[0]]
        pages = customers.list({"email": "paging@example.com", "limit": 2})
        self.assertEqual([customer.id for customer in pages.auto_paging_iter()], left)
        back = customers.list({"email": "paging@example.com", "limit": 2, "ending_before": mine[0]})
        self.assertEqual([customer.id for customer in back.auto_paging_iter()], left[2::-1])
        after_deleted = customers.list({"email": "paging@example.com", "starting_after": mine[2]})
        self.assertEqual([customer.id for customer in after_deleted.data], left[2:])

    def test_a_deleted_customer_leaves_a_stub(self):
        customers = client().v1.customers
        made = customers.create({"name": "Bea", "payment_method": "pm_card_visa",
                                 "invoice_settings": {"default_payment_method": "pm_card_visa"}})
        method = made.invoice_settings.default_payment_method
        self.assertEqual(client().v1.payment_methods.retrieve(method).customer, made.id)
        gone = customers.delete(made.id)
        self.assertEqual(gone.to_dict(), {"id": made.id, "object": "customer", "deleted": True})
        self.assertEqual(customers.retrieve(made.id).to_dict(), gone.to_dict())
        self.assertIsNone(client().v1.payment_methods.retrieve(method).customer)
        for refused, param in [
                (lambda: customers.update(made.id, {"name": "x"}), "id"),
                (lambda: customers.delete(made.id), "id"),
                (lambda: client().v1.payment_intents.create({"amount": 100, "currency": "usd", "customer": made.id}),
                 "customer")]:
            with self.assertRaises(stripe.InvalidRequestError) as told:
                refused()
            self.assertEqual((told.exception.code, told.exception.param), ("resource_missing", param))
        self.assertEqual(events_about(made.id), ["customer.created", "customer.deleted"])
        deleted = client().v1.events.list({"type": "customer.deleted", "limit": 1}).data[0].data.object
        self.assertEqual((deleted.name, "deleted" in deleted), ("Bea", False))


class Balance(unittest.TestCase):
    def test_the_balance_is_moved_by_transactions_only(self):
        customers = client().v1.customers
        customer = customers.create({"balance": -500}).id
        moved = customers.balance_transactions.create(customer, {"amount": 200, "currency": "usd", "description": "ok"})
        self.assertEqual((moved.type, moved.amount, moved.ending_balance), ("adjustment", 200, -300))
        customers.update(customer, {"balance": 0})
        rows = list(customers.balance_transactions.list(customer, {"limit": 2}).auto_paging_iter())
        self.assertEqual([(row.type, row.amount, row.ending_balance) for row in rows],
                         [("adjustment", 300, 0), ("adjustment", 200, -300), ("initial", -500, -500)])
        self.assertEqual(customers.retrieve(customer).balance, 0)
        changed = customers.balance_transactions.update(customer, moved.id, {"metadata": {"a": "b"}})
        self.assertEqual(customers.balance_transactions.retrieve(customer, moved.id).to_dict(), changed.to_dict())
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            customers.balance_transactions.create(customer, {"amount": 1, "currency": "eur"})
        self.assertEqual(refused.exception.param, "currency")


class TaxIds(unittest.TestCase):
    def test_tax_ids_are_given_looked_up_and_deleted(self):
        customers = client().v1.customers
        made = customers.create({"tax_id_data": [{"type": "eu_vat", "value": "000000000"}], "expand": ["tax_ids"]})
        first = made.tax_ids.data[0]
        self.assertEqual((first.verification.status, first.owner.type), ("pending", "customer"))
        second = customers.tax_ids.create(made.id, {"type": "us_ein", "value": "12-3456789"})
        self.assertEqual((second.country, second.verification.status), ("US", "unavailable"))
        self.assertEqual([row.id for row in customers.tax_ids.list(made.id).auto_paging_iter()], [second.id, first.id])
        until = time.monotonic() + PATIENCE_SECONDS
        while customers.tax_ids.retrieve(made.id, first.id).verification.status == "pending":
            self.assertLess(time.monotonic(), until, "the register never answered")
            time.sleep(0.2)
        self.assertEqual(events_about(first.id), ["customer.tax_id.created", "customer.tax_id.updated"])
        self.assertTrue(customers.tax_ids.delete(made.id, second.id).deleted)
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            customers.tax_ids.retrieve(made.id, second.id)
        self.assertEqual((refused.exception.http_status, refused.exception.code), (404, "resource_missing"))
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            customers.tax_ids.create(made.id, {"type": "eu_vat", "value": "12"})
        self.assertEqual(refused.exception.code, "tax_id_invalid")

    def test_the_account_has_tax_ids_of_its_own(self):
        own = client().v1.tax_ids.create({"type": "gb_vat", "value": "GB123456789"})
        self.assertEqual((own.customer, own.owner.type), (None, "self"))
        self.assertIn(own.id, [row.id for row in client().v1.tax_ids.list().auto_paging_iter()])
        self.assertTrue(client().v1.tax_ids.delete(own.id).deleted)
        self.assertNotIn(own.id, [row.id for row in client().v1.tax_ids.list().auto_paging_iter()])


class Sources(unittest.TestCase):
    def test_cards_are_saved_charged_and_deleted_as_in_2019(self):
        sources = client().v1.customers.payment_sources
        customer = client().v1.customers.create({"source": "tok_visa", "expand": ["default_source", "sources"]})
        card = customer.default_source
        self.assertEqual((card.object, card.brand, card.last4, card.customer), ("card", "Visa", "4242", customer.id))
        self.assertEqual([row.id for row in customer.sources.data], [card.id])
        second = sources.create(customer.id, {"source": "tok_mastercard"})
        self.assertEqual(second.brand, "MasterCard")
        self.assertEqual([row.id for row in sources.list(customer.id, {"object": "card"}).auto_paging_iter()],
                         [second.id, card.id])
        charge = client().v1.charges.create({"amount": 700, "currency": "usd", "customer": customer.id})
        self.assertEqual((charge.paid, charge.payment_method), (True, card.id))
        intent = client().v1.payment_intents.create({"amount": 800, "currency": "usd", "customer": customer.id,
                                                     "payment_method": second.id, "confirm": True})
        self.assertEqual((intent.status, intent.payment_method), ("succeeded", second.id))
        shown = client().v1.payment_methods.retrieve(second.id)
        self.assertEqual((shown.object, shown.id, shown.card.brand), ("payment_method", second.id, "mastercard"))
        methods = client().v1.payment_methods
        methods.attach("pm_card_amex", {"customer": customer.id})
        listed = methods.list({"customer": customer.id, "type": "card", "limit": 1}).auto_paging_iter()
        self.assertEqual([(row.object, row.card.last4) for row in listed],
                         [("payment_method", "8431"), ("payment_method", "4444"), ("payment_method", "4242")])
        self.assertEqual(client().v1.customers.payment_methods.retrieve(customer.id, card.id).card.last4, "4242")
        changed = sources.update(customer.id, card.id, {"name": "Ada", "exp_year": 2040, "metadata": {"a": "b"}})
        self.assertEqual((changed.name, changed.exp_year, changed.metadata["a"]), ("Ada", 2040, "b"))
        self.assertTrue(sources.delete(customer.id, card.id).deleted)
        self.assertEqual(client().v1.customers.retrieve(customer.id).default_source, second.id)
        self.assertEqual(events_about(card.id),
                         ["customer.source.created", "customer.source.updated", "customer.source.deleted"])
        with self.assertRaises(stripe.CardError) as declined:
            sources.create(customer.id, {"source": "tok_visa_chargeDeclined"})
        self.assertEqual((declined.exception.http_status, declined.exception.code), (402, "card_declined"))

    def test_a_source_is_made_saved_and_consumed(self):
        source = client().v1.sources.create({"type": "card", "token": "tok_visa", "owner": {"name": "Ada"}})
        self.assertEqual((source.status, source.owner.name, source.card.last4), ("chargeable", "Ada", "4242"))
        customer = client().v1.customers.create({"source": source.id})
        self.assertEqual(customer.default_source, source.id)
        changed = client().v1.sources.update(source.id, {"metadata": {"a": "b"}})
        self.assertEqual((changed.customer, changed.metadata["a"]), (customer.id, "b"))
        taken = client().v1.customers.payment_sources.delete(customer.id, source.id)
        self.assertEqual((taken.object, taken.status), ("source", "consumed"))
        self.assertIsNone(client().v1.customers.retrieve(customer.id).default_source)
        with self.assertRaises(stripe.InvalidRequestError):
            client().v1.sources.create({"type": "giropay", "amount": 100, "currency": "eur"})

    def test_old_versions_include_the_cards_of_a_customer(self):
        old = client(stripe_version="2020-08-27")
        customer = old.v1.customers.create({"source": "tok_visa"})
        self.assertEqual(customer.sources.data[0].brand, "Visa")
        self.assertEqual((customer.sources.total_count, customer.subscriptions.data), (1, []))
        self.assertEqual(customer.sources.url, f"/v1/customers/{customer.id}/sources")
        self.assertNotIn("sources", client().v1.customers.retrieve(customer.id))


class Audit(unittest.TestCase):
    """Runs on a server of its own, which is stopped for it."""

    def test_what_was_written_adds_up(self):
        own = Server()
        self.addCleanup(own.close)
        here = stripe.StripeClient(KEY, base_addresses={"api": own.api}, max_network_retries=0).v1
        customer = here.customers.create({"balance": -300, "source": "tok_visa",
                                          "tax_id_data": [{"type": "us_ein", "value": "12-3456789"}]})
        here.customers.balance_transactions.create(customer.id, {"amount": 120, "currency": "usd"})
        here.charges.create({"amount": 900, "currency": "usd", "customer": customer.id})
        own.restart()
        here = stripe.StripeClient(KEY, base_addresses={"api": own.api}, max_network_retries=0).v1
        self.assertEqual(here.customers.retrieve(customer.id).balance, -180)
        here.customers.delete(customer.id)
        audited = own.verify()
        self.assertEqual(audited.returncode, 0, audited.stdout + audited.stderr)


if __name__ == "__main__":
    unittest.main()
