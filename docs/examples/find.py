import os
import stripe

client = stripe.StripeClient(os.environ["TOLLGATE_KEY"], base_addresses={"api": os.environ["TOLLGATE_URL"]})
customer = client.v1.customers.create({"name": "Jenny Rosen", "email": "jenny.rosen@example.com"})
found = client.v1.customers.search({"query": "email~'rosen' AND -name:null", "limit": 5})
print(customer.id in [one.id for one in found.auto_paging_iter()])
for intent in client.v1.payment_intents.list({"customer": customer.id, "limit": 3}).auto_paging_iter():
    print(intent.id)
