"""Domains on which pages offer wallets, with the official Python SDK. Run by tests/run."""

import unittest

import stripe
from server import Server

KEY = "sk_test_pythondomains0123456789abcdefg"


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


def v1():
    return stripe.StripeClient(KEY, base_addresses={"api": server.api}, max_network_retries=0).v1


class Domains(unittest.TestCase):
    def test_a_domain_is_registered_once(self):
        domains = v1().payment_method_domains
        domain = domains.create({"domain_name": "shop.example.com"})
        self.assertTrue(domain.id.startswith("pmd_"))
        self.assertEqual((domain.object, domain.domain_name, domain.enabled), ("payment_method_domain", "shop.example.com", True))
        for method in ("amazon_pay", "apple_pay", "google_pay", "klarna", "link", "paypal"):
            self.assertEqual(domain[method].status, "active")
        self.assertEqual(domains.create({"domain_name": "shop.example.com"}).id, domain.id)
        self.assertFalse(domains.update(domain.id, {"enabled": False}).enabled)
        self.assertEqual(domains.validate(domain.id).id, domain.id)
        other = domains.create({"domain_name": "pay.example.com"})
        self.assertEqual([found.id for found in domains.list().data], [other.id, domain.id])
        self.assertEqual([found.id for found in domains.list({"enabled": False}).data], [domain.id])
        self.assertEqual([found.id for found in domains.list({"domain_name": "pay.example.com"}).data], [other.id])
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            domains.create({"domain_name": "https://shop.example.com"})
        self.assertEqual(refused.exception.param, "domain_name")

    def test_a_domain_of_apple_pay_is_deleted(self):
        domains = v1().apple_pay_domains
        domain = domains.create({"domain_name": "shop.example.com"})
        self.assertEqual((domain.object, domain.domain_name), ("apple_pay_domain", "shop.example.com"))
        self.assertEqual(domains.retrieve(domain.id).id, domain.id)
        self.assertTrue(domains.delete(domain.id).deleted)
        self.assertEqual(domains.list().data, [])
        with self.assertRaises(stripe.InvalidRequestError) as missing:
            domains.retrieve(domain.id)
        self.assertEqual(missing.exception.http_status, 404)


if __name__ == "__main__":
    unittest.main()
