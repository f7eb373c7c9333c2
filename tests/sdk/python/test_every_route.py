"""Thousands of sensible, odd and hostile requests over every route of the OpenAPI document, on a running server: whatever
is sent, the answer is JSON of the right shape and no fault of ours. Run by tests/run."""

import json
import random
import re
import time
import unittest

import requests
from server import Server

KEY = "sk_test_everyroute0123456789abcdef"
REQUESTS = 3000
SECONDS_MAX = 120
ID = re.compile(r'"((?:[a-z]+_)+[0-9A-Za-z]{22})"')
WORDS = ["usd", "eur", "zzz", "card", "tok_visa", "pm_card_visa", "pm_card_authenticationRequired", "manual", "", "x" * 600,
         "4242424242424242", "2040", "jenny@example.com", "https://example.com/back", "\U0001f30d", "created>1", "charge.*",
         "metadata['a']:'b' AND amount>5", "fraudulent", "winning_evidence", "recurring"]
HOSTILE = ["a[[b]=1", "]=1", "[]=1", "=1", "&&&", "%", "%ff=1", "a=%00", "metadata=x", "metadata[a][b][c]=1", "expand[a]=x",
           "expand[]=a.b.c.d.e", "expand[]=.", "amount[]=1", "amount[0][a]=1", "a" + "[b]" * 40 + "=1", "limit=-5", "limit=x",
           "created[gte]=x", "created[no]=1", "starting_after=x", "ending_before=cus_1", "expand=customer", "a[]=1&a[b]=2",
           "&".join(f"metadata[k{at}]=v" for at in range(60)), "&".join(f"types[]={at}" for at in range(200))]


def setUpModule():
    global server, document
    server = Server()
    document = requests.get(server.api + "/openapi.json", timeout=30).json()


def tearDownModule():
    server.close()


class Walk:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.session = requests.Session()
        self.session.auth = (KEY, "")
        self.ids = []
        self.operations = [(method, path, operation) for path, methods in document["paths"].items()
                           for method, operation in methods.items()]
        self.kinds = {}

    def schema(self, schema):
        while "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return self.schema(schema["anyOf"][0]) if "anyOf" in schema else schema

    def pairs(self, name, schema, required=()):
        schema, roll = self.schema(schema), self.random.random()
        if roll < 0.04:
            return [(name, self.random.choice(WORDS))]
        if "enum" in schema:
            return [(name, self.random.choice([word for word in schema["enum"] if word is not None]))]
        kind = schema.get("type", "object")
        if kind == "integer":
            return [(name, self.random.choice(["2000", "1000", "100", "1", "0", "-1", "99999999", "9" * 19]))]
        if kind == "boolean":
            return [(name, self.random.choice(["true", "true", "false"]))]
        if kind == "array":
            return [pair for at in range(self.random.randrange(3)) for pair in self.pairs(f"{name}[{at}]", schema["items"])]
        if kind == "object":
            members = schema.get("properties")
            if not members:
                return [(f"{name}[order]", "6735")]
            return self.members(schema, lambda member: f"{name}[{member}]")
        if name.endswith("currency"):
            return [(name, "usd")]
        if self.ids and (roll < 0.3 or "x-idOf" in schema):
            return [(name, self.some_id(schema.get("x-idOf")))]
        return [(name, self.random.choice(WORDS))]

    def members(self, schema, name):
        required, much = schema.get("required", ()), self.random.choice([0.02, 0.1, 0.3])
        chosen = [member for member in schema.get("properties", {})
                  if self.random.random() < (0.95 if member in required else much)]
        return [pair for member in chosen for pair in self.pairs(name(member), schema["properties"][member])]

    def some_id(self, object_name=None):
        fitting = [one for one in self.ids if self.kinds.get(one.rsplit("_", 1)[0]) == object_name] if object_name else []
        return self.random.choice((fitting or self.ids)[-20:])

    def step(self):
        method, path, operation = self.random.choice(self.operations)
        if self.random.random() < 0.15:
            method, path, form = "post", "/v1/payment_intents", [
                ("amount", "2000"), ("currency", "usd"), ("confirm", "true"),
                ("payment_method", self.random.choice(["pm_card_visa", "pm_card_chargeDeclined", "pm_card_createDispute"])),
                ("capture_method", self.random.choice(["automatic", "manual"])),
                ("automatic_payment_methods[enabled]", "true"), ("automatic_payment_methods[allow_redirects]", "never")]
        else:
            form = [pair for parameter in operation["parameters"] if parameter.get("in") == "query"
                    if parameter["required"] or self.random.random() < 0.2
                    for pair in self.pairs(parameter["name"], parameter["schema"])]
            for body in operation.get("requestBody", {}).get("content", {}).values():
                form += self.members(self.schema(body["schema"]), lambda member: member)
        parts = []
        for at, part in enumerate(path.split("/")):
            collection = path.split("/")[at - 1]
            parts.append(self.path_id(collection) if part.startswith("{") else part)
        text = "&".join(requests.models.RequestEncodingMixin._encode_params([pair]) for pair in form)
        if self.random.random() < 0.15:
            text += "&" + self.random.choice(HOSTILE)
        url = server.api + "/".join(parts)
        headers = {"Stripe-Version": self.random.choice(["2018-11-08", "2020-08-27", "2022-11-15", "2026-10-28.endive"])}
        if self.random.random() < 0.1:
            headers["Idempotency-Key"] = f"key-{self.random.randrange(20)}"
        asked = f"{method} {url} {headers} {text[:2000]}"
        if method == "post" and path.startswith("/v2/"):
            answer = self.session.post(url, json=nested(form), headers=headers, timeout=30)
        elif method == "post":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            answer = self.session.post(url, data=text.encode(), headers=headers, timeout=30)
        else:
            request = requests.Request(method.upper(), url, headers=headers).prepare()
            request.prepare_auth(self.session.auth)
            request.url += "?" + text
            answer = self.session.send(request, timeout=30)
        return asked, answer

    def path_id(self, collection):
        if not self.ids or self.random.random() < 0.05:
            return self.random.choice(["x", "%F0%9F%92%B3", "pi_", "a%2Fb"])
        return self.some_id(collection.rstrip("s") if collection != "history" else "balance_transaction")

    def learn(self, text):
        for found in ID.findall(text):
            if found not in self.ids:
                self.ids.append(found)
        del self.ids[:-500]
        for found in re.finditer(r'"id": "((?:[a-z]+_)+)[0-9A-Za-z]{22}",\s*"object": "([a-z_.]+)"', text):
            self.kinds[found.group(1).rstrip("_")] = found.group(2)


def nested(pairs):
    """What the pairs of a form say, as the JSON of the second version's bodies."""
    body = {}
    for name, text in pairs:
        place, parts = body, [part.rstrip("]") for part in name.split("[")]
        for part in parts[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                break
        else:
            place[parts[-1]] = text
    return body


class EveryRoute(unittest.TestCase):
    def test_no_request_meets_a_fault(self):
        walk, statuses, started = Walk(20261121), {}, time.monotonic()
        for number in range(REQUESTS):
            if time.monotonic() - started > SECONDS_MAX:
                break
            asked, answer = walk.step()
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            try:
                body = answer.json()
            except json.JSONDecodeError:
                self.fail(f"request {number}, {asked}: no JSON but {answer.text[:500]!r}")
            if answer.status_code == 200:
                self.assertIn("data" if "/v2/" in asked and "data" in body else "object", body, asked)
            else:
                # Any account but the key's own is forbidden, whatever it is called.
                forbidden = (403,) if "/v1/accounts/" in asked else ()
                refusals = (400, 402, 404, 409, 429, *forbidden)
                self.assertIn(answer.status_code, refusals, f"request {number}, {asked}: {answer.text}")
                self.assertTrue(body["error"]["type"] and body["error"]["message"], asked)
            walk.learn(answer.text)
        self.assertGreater(statuses.get(200, 0), 300, statuses)
        self.assertGreater(number, 500, "too slow to mean anything")
        log = (server.directory / "log").read_text()
        self.assertNotIn("panicked", log)
        verified = server.verify()
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        server.start()


if __name__ == "__main__":
    unittest.main()
