"""Bank debits with the official Python SDK: pending until the bank answers, deposits, mandates. Run by tests/run."""

import time
import unittest

import stripe
from server import Server

KEY = "sk_test_pythonbankdebits0123456789"
SETTLED_SECONDS = 30
AGREED = {"customer_acceptance": {"type": "online", "online": {"ip_address": "10.0.0.1", "user_agent": "test"}}}
ACCOUNT = {"routing_number": "110000000", "account_number": "000123456789", "account_holder_type": "individual"}


def setUpModule():
    global server
    server = Server()
    stripe.api_base = server.api
    stripe.api_key = KEY
    stripe.max_network_retries = 0


def tearDownModule():
    server.close()


def pay(method, **params):
    asked = {"amount": 2000, "currency": "usd", "payment_method_types": ["us_bank_account"], "payment_method": method,
             "confirm": True, "mandate_data": AGREED}
    return stripe.PaymentIntent.create(**{**asked, **params})


def settled(intent, status):
    """The intent, once it has that status."""
    until = time.monotonic() + SETTLED_SECONDS
    while time.monotonic() < until:
        now = stripe.PaymentIntent.retrieve(intent.id, expand=["latest_charge.balance_transaction", "payment_method"])
        if now.status == status:
            return now
        time.sleep(0.1)
    raise AssertionError(f"{intent.id} is {now.status}, not {status}")


def refused(call):
    try:
        call()
    except stripe.InvalidRequestError as error:
        return error
    raise AssertionError("it was not refused")


class Methods(unittest.TestCase):
    def test_bank_accounts_show_where_they_are_kept_and_never_their_number(self):
        made = stripe.PaymentMethod.create(type="us_bank_account", us_bank_account=ACCOUNT,
                                           billing_details={"name": "Jenny Rosen"})
        bank = made.us_bank_account
        self.assertEqual((made.type, bank.last4, bank.routing_number, bank.account_type, bank.account_holder_type),
                         ("us_bank_account", "6789", "110000000", "checking", "individual"))
        self.assertEqual((bank.networks.preferred, list(bank.networks.supported)), ("ach", ["ach"]))
        self.assertNotIn("card", made)
        again = stripe.PaymentMethod.create(type="us_bank_account", us_bank_account=ACCOUNT,
                                            billing_details={"name": "Jenny Rosen"})
        self.assertEqual(again.us_bank_account.fingerprint, bank.fingerprint)
        sepa = stripe.PaymentMethod.create(type="sepa_debit", sepa_debit={"iban": "DE89370400440532013000"},
                                           billing_details={"name": "Jenny", "email": "jenny@example.com"})
        self.assertEqual((sepa.sepa_debit.country, sepa.sepa_debit.bank_code, sepa.sepa_debit.last4),
                         ("DE", "37040044", "3000"))
        bacs = stripe.PaymentMethod.create(type="bacs_debit",
                                           bacs_debit={"account_number": "00012345", "sort_code": "108800"})
        self.assertEqual((bacs.bacs_debit.sort_code, bacs.bacs_debit.last4), ("108800", "2345"))
        becs = stripe.PaymentMethod.create(type="au_becs_debit",
                                           au_becs_debit={"account_number": "000123456", "bsb_number": "000-000"})
        self.assertEqual((becs.au_becs_debit.bsb_number, becs.au_becs_debit.last4), ("000000", "3456"))
        acss = stripe.PaymentMethod.create(
            type="acss_debit",
            acss_debit={"account_number": "000123456789", "institution_number": "000", "transit_number": "11000"})
        self.assertEqual((acss.acss_debit.transit_number, acss.acss_debit.institution_number), ("11000", "000"))

    def test_what_is_no_account_is_refused_with_its_code(self):
        error = refused(lambda: stripe.PaymentMethod.create(type="sepa_debit",
                                                            sepa_debit={"iban": "DE89370400440532013001"}))
        self.assertEqual((error.code, error.param), ("invalid_bank_account_iban", "sepa_debit[iban]"))
        wrong = {**ACCOUNT, "routing_number": "1"}
        error = refused(lambda: stripe.PaymentMethod.create(type="us_bank_account", us_bank_account=wrong,
                                                            billing_details={"name": "Jenny"}))
        self.assertEqual(error.code, "routing_number_invalid")


class Payments(unittest.TestCase):
    def test_a_debit_is_pending_and_then_paid(self):
        intent = pay("pm_usBankAccount_success")
        self.assertEqual((intent.status, intent.payment_method_types), ("processing", ["us_bank_account"]))
        charge = stripe.Charge.retrieve(intent.latest_charge)
        self.assertTrue(charge.id.startswith("py_"))
        self.assertEqual((charge.status, charge.paid, charge.balance_transaction), ("pending", False, None))
        paid = settled(intent, "succeeded")
        movement = paid.latest_charge.balance_transaction
        self.assertEqual((movement.type, movement.reporting_category, movement.fee), ("payment", "charge", 16))
        bank = paid.latest_charge.payment_method_details.us_bank_account
        mandate = stripe.Mandate.retrieve(bank.mandate)
        self.assertEqual((mandate.status, mandate.type, mandate.payment_method_details.type),
                         ("active", "single_use", "us_bank_account"))
        refund = stripe.Refund.create(payment_intent=intent.id, amount=500)
        self.assertTrue(refund.id.startswith("pyr_"))
        self.assertEqual(refund.destination_details.type, "us_bank_transfer")
        self.assertEqual(stripe.BalanceTransaction.retrieve(refund.balance_transaction).type, "payment_refund")

    def test_a_debit_that_fails_says_why(self):
        for name, code in [("accountClosed", "account_closed"), ("noAccount", "no_account"),
                           ("insufficientFunds", "insufficient_funds")]:
            intent = settled(pay(f"pm_usBankAccount_{name}"), "requires_payment_method")
            self.assertEqual(intent.last_payment_error.code, code)
            self.assertEqual((intent.latest_charge.status, intent.latest_charge.failure_code), ("failed", code))

    def test_without_a_mandate_nothing_is_debited(self):
        error = refused(lambda: pay("pm_usBankAccount_success", mandate_data=""))
        self.assertIn("no existing mandate was found", error.user_message)

    def test_a_silent_bank_can_be_left(self):
        intent = pay("pm_usBankAccount_processing")
        self.assertEqual(intent.status, "processing")
        self.assertEqual(intent.cancel().status, "canceled")

    def test_deposits_show_whose_account_it_is(self):
        data = {"type": "us_bank_account", "us_bank_account": ACCOUNT, "billing_details": {"name": "Jenny"}}
        intent = stripe.PaymentIntent.create(amount=2000, currency="usd", payment_method_types=["us_bank_account"],
                                             payment_method_data=data, confirm=True, mandate_data=AGREED)
        self.assertEqual((intent.status, intent.next_action.type), ("requires_action", "verify_with_microdeposits"))
        self.assertEqual(intent.next_action.verify_with_microdeposits.microdeposit_type, "amounts")
        error = refused(lambda: stripe.PaymentIntent.verify_microdeposits(intent.id, amounts=[1, 2]))
        self.assertEqual(error.code, "payment_method_microdeposit_verification_amounts_mismatch")
        verified = stripe.PaymentIntent.verify_microdeposits(intent.id, amounts=[32, 45])
        self.assertEqual(verified.status, "processing")

    def test_a_dispute_is_lost_as_it_is_opened(self):
        intent = settled(pay("pm_usBankAccount_dispute"), "succeeded")
        dispute = stripe.Dispute.retrieve(intent.latest_charge.dispute)
        self.assertEqual((dispute.status, dispute.is_charge_refundable), ("lost", False))

    def test_a_sepa_debit_is_taken_again_under_its_mandate(self):
        customer = stripe.Customer.create(name="Jenny")
        method = stripe.PaymentMethod.create(type="sepa_debit", sepa_debit={"iban": "DE89370400440532013000"},
                                             billing_details={"name": "Jenny", "email": "jenny@example.com"})
        first = pay(method.id, currency="eur", payment_method_types=["sepa_debit"], customer=customer.id,
                    setup_future_usage="off_session")
        settled(first, "succeeded")
        again = stripe.PaymentIntent.create(amount=500, currency="eur", payment_method_types=["sepa_debit"],
                                            customer=customer.id, payment_method=method.id, off_session=True,
                                            confirm=True)
        self.assertEqual(again.status, "processing")
        listed = stripe.PaymentMethod.list(customer=customer.id, type="sepa_debit")
        self.assertEqual([one.id for one in listed.data], [method.id])
        stripe.PaymentMethod.detach(method.id)
        events = [event.type for event in stripe.Event.list(type="mandate.updated").data]
        self.assertIn("mandate.updated", events)


class Setups(unittest.TestCase):
    def test_an_account_is_set_up_by_deposits_and_pays(self):
        customer = stripe.Customer.create(name="Jenny")
        data = {"type": "us_bank_account", "us_bank_account": ACCOUNT, "billing_details": {"name": "Jenny"}}
        setup = stripe.SetupIntent.create(customer=customer.id, payment_method_types=["us_bank_account"],
                                          payment_method_data=data, confirm=True, mandate_data=AGREED)
        self.assertEqual((setup.status, setup.next_action.type), ("requires_action", "verify_with_microdeposits"))
        ready = stripe.SetupIntent.verify_microdeposits(setup.id, descriptor_code="SM11AA")
        self.assertEqual(ready.status, "succeeded")
        self.assertEqual(stripe.Mandate.retrieve(ready.mandate).status, "active")
        paid = stripe.PaymentIntent.create(amount=900, currency="usd", payment_method_types=["us_bank_account"],
                                           customer=customer.id, payment_method=ready.payment_method,
                                           off_session=True, confirm=True)
        self.assertEqual(paid.status, "processing")

    def test_deposits_that_time_out_fail_the_setup(self):
        data = {"type": "us_bank_account", "us_bank_account": ACCOUNT, "billing_details": {"name": "Jenny"}}
        setup = stripe.SetupIntent.create(payment_method_types=["us_bank_account"], payment_method_data=data,
                                          confirm=True, mandate_data=AGREED)
        error = refused(lambda: stripe.SetupIntent.verify_microdeposits(setup.id, amounts=[40, 41]))
        self.assertEqual(error.code, "payment_method_microdeposit_verification_timeout")
        self.assertEqual(stripe.SetupIntent.retrieve(setup.id).status, "requires_payment_method")


class Sources(unittest.TestCase):
    """Bank accounts of customers, by the operations that came before payment methods."""

    DETAILS = {"country": "US", "currency": "usd", "account_holder_name": "Jenny Rosen",
               "account_holder_type": "individual", "routing_number": "110000000",
               "account_number": "000123456789"}

    def test_a_token_stands_for_an_account_once(self):
        token = stripe.Token.create(bank_account=self.DETAILS)
        self.assertTrue(token.id.startswith("btok_"))
        self.assertEqual((token.type, token.bank_account.last4, token.bank_account.status),
                         ("bank_account", "6789", "new"))
        self.assertNotIn("card", token)
        self.assertEqual(stripe.Token.retrieve(token.id).bank_account.id, token.bank_account.id)
        customer = stripe.Customer.create()
        saved = stripe.Customer.create_source(customer.id, source=token.id)
        self.assertTrue(saved.id.startswith("ba_"))
        self.assertEqual((saved.object, saved.customer, saved.bank_name, saved.routing_number, saved.status),
                         ("bank_account", customer.id, "STRIPE TEST BANK", "110000000", "new"))
        self.assertEqual((saved.account_holder_name, saved.account_holder_type, saved.fingerprint),
                         ("Jenny Rosen", "individual", token.bank_account.fingerprint))
        self.assertTrue(stripe.Token.retrieve(token.id).used)
        error = refused(lambda: stripe.Customer.create_source(customer.id, source="btok_us_verified"))
        self.assertEqual(error.code, "bank_account_exists")

    def test_two_amounts_verify_it(self):
        customer = stripe.Customer.create()
        bank = stripe.Customer.create_source(customer.id, source={"object": "bank_account", **self.DETAILS})
        # The library makes a card error of every 402; the body says what it is.
        with self.assertRaises(stripe.CardError) as caught:
            stripe.Customer.retrieve_source(customer.id, bank.id).verify(amounts=[1, 2])
        error = caught.exception.error
        self.assertEqual((error.type, error.code), ("invalid_request_error", "bank_account_verification_failed"))
        verified = stripe.Customer.retrieve_source(customer.id, bank.id).verify(amounts=[32, 45])
        self.assertEqual((verified.id, verified.status), (bank.id, "verified"))

    def test_it_stands_among_the_sources(self):
        customer = stripe.Customer.create(source="btok_us_verified")
        bank = stripe.Customer.retrieve(customer.id, expand=["default_source"]).default_source
        self.assertEqual((bank.object, bank.status), ("bank_account", "verified"))
        card = stripe.Customer.create_source(customer.id, source="tok_visa")

        def listed(**asked):
            return [source.id for source in stripe.Customer.list_sources(customer.id, **asked).data]

        self.assertEqual(listed(), [card.id, bank.id])
        self.assertEqual(listed(object="bank_account"), [bank.id])
        self.assertEqual(listed(object="card"), [card.id])
        changed = stripe.Customer.modify_source(customer.id, bank.id, account_holder_name="Ada",
                                                metadata={"k": "v"})
        self.assertEqual((changed.account_holder_name, changed.metadata.k), ("Ada", "v"))
        gone = stripe.Customer.delete_source(customer.id, bank.id)
        self.assertEqual((gone.id, gone.object, gone.deleted), (bank.id, "bank_account", True))
        self.assertEqual(stripe.Customer.retrieve(customer.id).default_source, card.id)
        self.assertEqual(listed(), [card.id])

    def test_a_verified_account_is_charged(self):
        customer = stripe.Customer.create(source="btok_us_verified")
        charge = stripe.Charge.create(amount=2000, currency="usd", customer=customer.id)
        self.assertTrue(charge.id.startswith("py_"))
        self.assertEqual((charge.status, charge.paid, charge.source.object, charge.payment_method_details.type),
                         ("pending", False, "bank_account", "ach_debit"))
        self.assertEqual(charge.payment_method_details.ach_debit.last4, "6789")
        until = time.monotonic() + SETTLED_SECONDS
        while charge.status == "pending" and time.monotonic() < until:
            time.sleep(0.1)
            charge = stripe.Charge.retrieve(charge.id, expand=["balance_transaction"])
        self.assertEqual((charge.status, charge.paid, charge.balance_transaction.type),
                         ("succeeded", True, "payment"))
        unverified = stripe.Customer.create(source="btok_us")
        error = refused(lambda: stripe.Charge.create(amount=2000, currency="usd", customer=unverified.id))
        self.assertIn("must be verified", error.user_message)


if __name__ == "__main__":
    unittest.main()
