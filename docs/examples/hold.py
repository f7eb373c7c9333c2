import os
import stripe

client = stripe.StripeClient(os.environ["TOLLGATE_KEY"], base_addresses={"api": os.environ["TOLLGATE_URL"]})
intent = client.v1.payment_intents.create({
    "amount": 5000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True, "capture_method": "manual",
    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
})
captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 3000})
refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 1000})
print(captured.amount_received, refund.status)
