import os
import stripe

client = stripe.StripeClient(os.environ["TOLLGATE_KEY"], base_addresses={"api": os.environ["TOLLGATE_URL"]})
intent = client.v1.payment_intents.create({
    "amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True,
    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    "metadata": {"order": "6735"}, "expand": ["latest_charge.balance_transaction"],
})
print(intent.status, intent.latest_charge.balance_transaction.net)
