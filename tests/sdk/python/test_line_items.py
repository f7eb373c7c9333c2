"""What payment intents pay for, item by item, with the official Python SDK. Run by tests/run."""

import unittest

import stripe
from server import Server

KEY = "sk_test_pythonlineitems0123456789abcde"
LINES = [
    {"product_name": "Book", "product_code": "SKU001", "unit_cost": 2000, "quantity": 1, "unit_of_measure": "piece",
     "payment_method_options": {"card": {"commodity_code": "123123"}}},
    {"product_name": "Pen", "unit_cost": 500, "quantity": 4},
]


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def intents():
    client = stripe.StripeClient(KEY, base_addresses={"api": server.api}, max_network_retries=0)
    return client.v1.payment_intents


class LineItems(unittest.TestCase):
    def test_items_come_on_request_and_are_listed(self):
        paid = intents().create({
            "amount": 4600, "currency": "usd", "payment_method_types": ["card"], "payment_method": "pm_card_visa", "confirm": True,
            "amount_details": {"discount_amount": 200, "tax": {"total_tax_amount": 400}, "line_items": LINES,
                               "shipping": {"from_postal_code": "94110", "to_postal_code": "94117", "amount": 400}},
            "expand": ["amount_details.line_items"]})
        self.assertEqual(paid.status, "succeeded")
        items = paid.amount_details.line_items
        self.assertEqual((items.object, items.has_more), ("list", False))
        book, pen = items.data
        self.assertEqual(book.object, "payment_intent_amount_details_line_item")
        self.assertEqual((book.product_name, book.unit_cost, book.quantity), ("Book", 2000, 1))
        self.assertEqual(book.payment_method_options.card.commodity_code, "123123")
        self.assertEqual((pen.payment_method_options, pen.tax, pen.product_code), (None, None, None))
        plain = intents().retrieve(paid.id)
        self.assertNotIn("line_items", plain.amount_details)
        listed = intents().amount_details_line_items.list(paid.id, {"limit": 1})
        self.assertEqual((listed.data[0].id, listed.has_more), (book.id, True))
        self.assertEqual(listed.url, f"/v1/payment_intents/{paid.id}/amount_details_line_items")
        walked = [item.id for item in listed.auto_paging_iter()]
        self.assertEqual(walked, [book.id, pen.id])

    def test_a_sum_that_is_wrong_is_refused_or_told(self):
        wrong = {"amount": 100, "currency": "usd", "amount_details": {"line_items": LINES}}
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            intents().create(wrong)
        self.assertEqual(refused.exception.code, "amount_details_amount_mismatch")
        told = intents().create({**wrong, "amount_details": {"line_items": LINES, "enforce_arithmetic_validation": False}})
        self.assertEqual(told.amount_details.error.code, "amount_details_amount_mismatch")
        cleared = intents().update(told.id, {"amount_details": {"line_items": ""}})
        self.assertNotIn("error", cleared.amount_details)
        self.assertEqual(intents().amount_details_line_items.list(told.id).data, [])


if __name__ == "__main__":
    unittest.main()
