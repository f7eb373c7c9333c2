"""One flow asked at many versions over HTTP, raw: how each answer differs from that of the newest version is held against
versions_flow.txt, which was read against the public changelog. A field that is new at every version makes no difference.
TOLLGATE_DOCS=write writes the file again. Run by tests/run."""

import os
import pathlib
import subprocess
import unittest
import urllib.error
import urllib.request

import requests
from server import BINARY, Server

NEWEST = "2026-10-28.endive"
VERSIONS = ["2014-01-31", "2015-04-07", "2018-11-08", "2019-05-16", "2020-08-27", "2022-11-15", "2024-06-20",
            "2025-02-24.acacia", "2025-03-31.basil", "2025-09-30.clover", "2026-03-25.dahlia", "2026-09-30.endive"]
GOLDEN = pathlib.Path(__file__).parent / "versions_flow.txt"
# Members whose words matter as much as their presence.
TOLD = {"object", "status", "type", "capture_method", "closed_reason", "brand"}
NO_REDIRECTS = {"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"}


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.close()


class Client:
    """A merchant of their own at a version."""

    def __init__(self, version):
        self.version = version
        self.key = "sk_test_flow" + version.replace("-", "").replace(".", "") + "0123456789abcdef"
        account = self.ask("GET", "/v1/account")["id"]
        subprocess.run([BINARY, "account", "update", account, "--set", f"api_version={version}", "--mode", "test",
                        "--admin", server.admin], check=True, capture_output=True, timeout=30)

    def ask(self, method, path, form=None, status=200):
        answer = requests.request(method, server.api + path, auth=(self.key, ""),
                                  headers={"Stripe-Version": self.version},
                                  **({"data": form} if method == "POST" else {"params": form}), timeout=30)
        if answer.status_code != status:
            raise AssertionError(f"{method} {path} at {self.version}: {answer.status_code} {answer.text}")
        return answer.json()

    def post(self, path, **form):
        return self.ask("POST", path, {name.replace("__", "[") + "]" * name.count("__"): value
                                       for name, value in form.items()})


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def prove(url):
    """Presses the button of the test page."""
    try:
        urllib.request.build_opener(NoRedirect).open(urllib.request.Request(url, data=b"outcome=complete"))
    except urllib.error.HTTPError as answer:
        assert answer.headers["location"], answer


def flow(version):
    """What a merchant is answered from their first customer to their first dispute, by step."""
    client = Client(version)
    balance = "account_balance" if version < "2019-10-17" else "balance"
    customer = client.post("/v1/customers", name="A", source="tok_visa", **{balance: -500})
    charge = client.post("/v1/charges", amount=2000, currency="usd", customer=customer["id"])
    refund = client.post("/v1/refunds", charge=charge["id"], amount=500)
    refunded = client.ask("GET", f"/v1/charges/{charge['id']}")
    waiting = client.post("/v1/payment_intents", amount=2000, currency="usd", confirm="true",
                          payment_method="pm_card_threeDSecure2Required", return_url="https://shop.example/back")
    action = waiting.get("next_action") or waiting["next_source_action"]
    prove((action.get("redirect_to_url") or action["authorize_with_url"])["url"])
    paid = client.ask("GET", f"/v1/payment_intents/{waiting['id']}")
    assert paid["status"] == "succeeded", paid
    plain = {} if version < "2023-08-16" else NO_REDIRECTS
    held = client.ask("POST", "/v1/payment_intents", {
        "amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true",
        "capture_method": "manual", **plain})
    held = client.ask("POST", f"/v1/payment_intents/{held['id']}/capture", {"amount_to_capture": 1500})
    declined = client.ask("POST", "/v1/payment_intents", {
        "amount": 2000, "currency": "usd", "payment_method": "pm_card_visa_chargeDeclined", "confirm": "true",
        **plain}, 402)
    disputed = client.post("/v1/charges", amount=700, currency="usd", source="tok_createDispute")
    disputed = client.ask("GET", f"/v1/charges/{disputed['id']}")
    disputes = client.ask("GET", "/v1/disputes")
    evidence = {"evidence": "x"} if version < "2014-12-08" else {"evidence__uncategorized_text": "x"}
    answered = client.post(f"/v1/disputes/{disputes['data'][0]['id']}", submit="false", **evidence)
    changed = client.post(f"/v1/customers/{customer['id']}", **{balance: -700, "metadata__a": "1"})
    events = client.ask("GET", "/v1/events", {"limit": 100})
    assert {event["api_version"] for event in events["data"] if event["type"] == "customer.updated"} == {version}
    return {"customer": customer, "charge": charge, "refund": refund, "charge refunded": refunded,
            "intent waiting": waiting, "intent paid": paid, "intent captured": held, "intent declined": declined,
            "charge disputed": disputed, "disputes": disputes, "dispute answered": answered, "customer changed": changed,
            "event of the change": next(event for event in events["data"] if event["type"] == "customer.updated"),
            "account": client.ask("GET", "/v1/account"),
            "movements": client.ask("GET", "/v1/balance_transactions")}


def shape(value, path, out):
    """The type of each member by its path; of some, the word."""
    if isinstance(value, dict):
        out[path] = "hash"
        for name, member in value.items():
            shape(member, f"{path}.{name}" if path else name, out)
    elif isinstance(value, list):
        out[path] = "array"
        for member in value:
            shape(member, path + "[]", out)
    elif path.rsplit(".", 1)[-1] in TOLD and isinstance(value, str):
        out[path] = value
    else:
        out[path] = "null" if value is None else type(value).__name__
    return out


def differences(old, new):
    """What an older answer has and has not, of each hash only the hash."""
    lines = []
    for path in sorted(set(old) | set(new)):
        then, now = old.get(path), new.get(path)
        if then == now:
            continue
        above = [path[:at] for at in range(1, len(path)) if path[at] in ".["]
        if any((old.get(part) == "hash") != (new.get(part) == "hash") or (part in old) != (part in new) for part in above):
            continue
        lines.append(f"+ {path}: {then}" if now is None else f"- {path}" if then is None
                     else f"~ {path}: {then} (now {now})")
    return lines


class Flow(unittest.TestCase):
    def test_answers_of_older_versions_differ_as_the_changelog_says(self):
        newest = {step: shape(answer, "", {}) for step, answer in flow(NEWEST).items()}
        written = []
        for version in VERSIONS:
            written.append(f"# {version}")
            for step, answer in flow(version).items():
                lines = differences(shape(answer, "", {}), newest[step])
                written += [f"## {step}", *lines] if lines else []
            written.append("")
        text = "\n".join(written)
        if os.environ.get("TOLLGATE_DOCS") == "write":
            GOLDEN.write_text(text)
        self.maxDiff = None
        self.assertMultiLineEqual(GOLDEN.read_text(), text)


if __name__ == "__main__":
    unittest.main()
