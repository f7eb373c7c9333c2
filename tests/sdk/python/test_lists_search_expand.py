"""Lists, auto-paging, search and expansion through the official Python SDK. Run by tests/run."""

import unittest

import stripe
from server import Server

KEY = "sk_test_listsuite0123456789abcdefgh"


def setUpModule():
    global server, intents, customer
    server = Server()
    customer = client().v1.customers.create({
        "email": "Jenny.Rosen@example.com", "name": "Jenny Rosen", "metadata": {"team": "blue"}})
    intents = [pay(1000 + number, metadata={"order": str(number)},
                   **({"customer": customer.id} if number % 2 else {})) for number in range(12)]
    intents.reverse()


def tearDownModule():
    server.close()


def client(key=KEY, **options):
    return stripe.StripeClient(key, base_addresses={"api": server.api}, max_network_retries=0, **options)


def pay(amount, **params):
    return client().v1.payment_intents.create({
        "amount": amount, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}, **params})


def ids(objects):
    return [one.id for one in objects]


class Refused(unittest.TestCase):
    def refused(self, call, message, param=None, code=None, status=400):
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            call()
        error = caught.exception
        self.assertEqual((error.http_status, error.param, error.code), (status, param, code), error)
        self.assertIn(message, str(error))


class Lists(Refused):
    def test_pages_go_both_ways_and_are_walked_by_the_sdk(self):
        api = client().v1.payment_intents
        whole = api.list({"limit": 100})
        self.assertEqual((whole.object, whole.url, whole.has_more), ("list", "/v1/payment_intents", False))
        self.assertEqual(ids(whole.data), ids(intents))
        self.assertEqual(ids(api.list({"limit": 5}).auto_paging_iter()), ids(intents))
        after = api.list({"limit": 3, "starting_after": intents[4].id})
        self.assertEqual((ids(after.data), after.has_more), (ids(intents[5:8]), True))
        before = api.list({"limit": 3, "ending_before": intents[4].id})
        self.assertEqual((ids(before.data), before.has_more), (ids(intents[1:4]), True))
        newest = api.list({"limit": 3, "ending_before": intents[2].id})
        self.assertEqual((ids(newest.data), newest.has_more), (ids(intents[:2]), False))
        backwards = api.list({"limit": 2, "ending_before": intents[-1].id}).auto_paging_iter()
        self.assertEqual(ids(backwards), ids(reversed(intents[:-1])))

    def test_limits_are_moved_into_their_bounds(self):
        api = client().v1.payment_intents
        self.assertEqual(len(api.list().data), 10)
        self.assertEqual(len(api.list({"limit": 0}).data), 1)
        self.assertEqual(len(api.list({"limit": 1000}).data), 12)

    def test_cursors_are_looked_for_before_two_are_refused(self):
        api = client().v1.payment_intents
        self.refused(lambda: api.list({"starting_after": "pi_nobody"}), "No such payment_intent: 'pi_nobody'",
                     "starting_after", "resource_missing")
        self.refused(lambda: api.list({"starting_after": intents[0].id, "ending_before": "pi_nobody"}),
                     "No such payment_intent: 'pi_nobody'", "ending_before", "resource_missing")
        self.refused(lambda: api.list({"starting_after": intents[0].id, "ending_before": intents[1].id}),
                     "Received both starting_after and ending_before parameters. Please pass in only one.")

    def test_filters_narrow_lists(self):
        api = client().v1
        mine = ids(intent for intent in intents if intent.customer == customer.id)
        self.assertEqual(ids(api.payment_intents.list({"customer": customer.id, "limit": 100}).data), mine)
        self.assertEqual(len(api.charges.list({"customer": customer.id, "limit": 100}).data), len(mine))
        self.assertEqual(ids(api.charges.list({"payment_intent": intents[3].id}).data), [intents[3].latest_charge])
        created = intents[0].created
        self.assertEqual(api.payment_intents.list({"created": {"gt": created}}).data, [])
        self.assertIn(intents[0].id, ids(api.payment_intents.list({"created": {"gte": created, "lte": created}, "limit": 100}).data))
        self.assertEqual(ids(api.customers.list({"email": "Jenny.Rosen@example.com"}).data), [customer.id])
        rows = api.balance_transactions.list({"type": "charge", "currency": "usd", "limit": 100}).data
        self.assertEqual(len(rows), 12)
        self.assertEqual(api.balance_transactions.list({"type": "payout"}).data, [])
        self.assertEqual([row.source for row in api.balance_transactions.list({"source": intents[0].latest_charge}).data],
                         [intents[0].latest_charge])
        self.refused(lambda: api.charges.list({"customer": "cus_nobody"}), "No such customer: 'cus_nobody'", "customer",
                     "resource_missing")

    def test_a_deleted_customer_is_no_member_but_still_a_cursor(self):
        api = client("sk_test_deletedsuite0123456789abcdef").v1.customers
        first, second = api.create({"name": "A"}), api.create({"name": "B"})
        api.delete(second.id)
        self.assertEqual(ids(api.list().data), [first.id])
        self.assertEqual(ids(api.list({"starting_after": second.id}).data), [first.id])
        self.assertEqual(api.search({"query": "-name:'x'"}).data, [first])

    def test_events_are_chosen_by_type_and_delivery(self):
        api = client().v1.events
        charges = api.list({"type": "charge.succeeded", "limit": 100}).data
        self.assertEqual(len(charges), 12)
        both = api.list({"types": ["charge.succeeded", "customer.created"], "limit": 100}).data
        self.assertEqual({event.type for event in both}, {"charge.succeeded", "customer.created"})
        self.assertEqual(len(both), 13)
        self.assertTrue(api.list({"type": "charge.*"}).data)
        self.assertEqual(len(api.list({"delivery_success": True, "limit": 100}).data), len(api.list({"limit": 100}).data))
        self.assertEqual(api.list({"delivery_success": False}).data, [])
        about = api.list({"related_object": intents[0].id}).data
        self.assertEqual([event.type for event in reversed(about)], ["payment_intent.created", "payment_intent.succeeded"])
        self.refused(lambda: api.list({"type": "charge.succeeded", "types": ["charge.failed"]}),
                     "You may only specify one of these parameters: type, types.")
        self.refused(lambda: api.list({"types": ["charge.failed"] * 21}), "types can have at most 20 items", "types")


class Search(Refused):
    def test_metadata_numbers_and_substrings(self):
        api = client().v1
        found = api.payment_intents.search({"query": "metadata['order']:'7'"})
        self.assertEqual((found.object, found.url, found.has_more, found.next_page),
                         ("search_result", "/v1/payment_intents/search", False, None))
        self.assertEqual([intent.amount for intent in found.data], [1007])
        amounts = [intent.amount for intent in api.payment_intents.search({
            "query": "amount>1008 AND status:\"succeeded\" AND -amount:1010", "limit": 100}).data]
        self.assertEqual(amounts, [1011, 1009])
        either = api.payment_intents.search({"query": "amount:1000 OR metadata['order']:'3'"}).data
        self.assertEqual([intent.amount for intent in either], [1003, 1000])
        self.assertEqual(ids(api.customers.search({"query": "email~'rosen' AND metadata['team']:'blue'"}).data), [customer.id])
        charges = api.charges.search({"query": "payment_method_details.card.last4:4242 AND amount<=1001"}).data
        self.assertEqual([charge.amount for charge in charges], [1001, 1000])
        self.assertEqual(len(api.charges.search({"query": f"customer:'{customer.id}'", "limit": 100}).data), 6)
        self.assertEqual(len(api.payment_intents.search({"query": "customer:null", "limit": 100}).data), 6)

    def test_the_sdk_walks_its_pages(self):
        search = client().v1.payment_intents.search({"query": "amount>=1000", "limit": 5})
        self.assertTrue(search.has_more and search.next_page)
        self.assertEqual(ids(search.auto_paging_iter()), ids(intents))
        counted = client().v1.payment_intents.search({"query": "amount>=1006", "limit": 2, "expand": ["total_count"]})
        self.assertEqual((len(counted.data), counted.total_count), (2, 6))

    def test_what_makes_no_sense_is_refused(self):
        search = client().v1.payment_intents.search
        self.refused(lambda: search({"query": "livemode:'true'"}),
                     "Field `livemode` is an unsupported search field for resource `payment_intents`.", "query")
        self.refused(lambda: search({"query": "amount:1 AND amount:2 OR amount:3"}), "can't combine `AND` and `OR`", "query")
        self.refused(lambda: search({"query": "status~'succ'"}), "use `:` instead of `~`", "query")
        self.refused(lambda: search({"query": "amount>1", "page": "x"}), "belongs to no page of this search", "page")
        self.refused(lambda: search({}), "Missing required param: query.", "query", "parameter_missing")


class Expansion(Refused):
    def test_paths_through_references_lists_and_ancestors(self):
        api = client().v1
        intent = api.payment_intents.retrieve(intents[0].id, {
            "expand": ["latest_charge.balance_transaction.source", "customer", "payment_method", "latest_charge.refunds"]})
        charge = intent.latest_charge
        self.assertEqual(charge.balance_transaction.source.id, charge.id)
        self.assertEqual((charge.refunds.object, charge.refunds.data), ("list", []))
        self.assertEqual(intent.customer.email, "Jenny.Rosen@example.com")
        self.assertEqual(intent.payment_method.card.last4, "4242")
        listed = api.charges.list({"limit": 1, "expand": ["data.customer", "data.payment_intent.payment_method"]}).data[0]
        self.assertEqual((listed.customer.id, listed.payment_intent.payment_method.object), (customer.id, "payment_method"))
        found = api.payment_intents.search({"query": "amount:1011", "expand": ["data.latest_charge"]}).data[0]
        self.assertEqual(found.latest_charge.object, "charge")
        changed = api.customers.update(customer.id, {"description": "x", "expand": ["invoice_settings.default_payment_method"]})
        self.assertEqual(changed.description, "x")
        refund = api.refunds.create({"charge": intents[1].latest_charge, "amount": 100, "expand": ["charge", "payment_intent"]})
        self.assertEqual((refund.charge.object, refund.payment_intent.id), ("charge", intents[1].id))
        charge = api.charges.retrieve(intents[1].latest_charge, {"expand": ["refunds.data.balance_transaction"]})
        self.assertEqual(charge.refunds.data[0].balance_transaction.net, -100)

    def test_what_cannot_be_expanded_says_so(self):
        api = client().v1
        intent = intents[0].id
        for expand, message, code in [
            ("latest_charge.balance_transaction.source.customer.x",
             "You cannot expand more than 4 levels of a property. Property: latest_charge.balance_transaction.source.customer.x",
             "property_expansion_max_depth"),
            ("amount", "This property cannot be expanded (amount).", None),
            ("nope", "This property cannot be expanded because it doesn't exist: nope.", None),
        ]:
            self.refused(lambda: api.payment_intents.retrieve(intent, {"expand": [expand]}), message, code=code)
        self.refused(lambda: api.charges.list({"expand": ["customer"]}), "This property cannot be expanded (customer).")
        self.refused(lambda: api.charges.list({"expand": ["total_count"]}), "This property cannot be included (total_count)")
        self.refused(lambda: api.charges.list({"expand": ["data.payment_intent.latest_charge.customer.id"]}),
                     "You cannot expand more than 4 levels", code="property_expansion_max_depth")


if __name__ == "__main__":
    unittest.main()
