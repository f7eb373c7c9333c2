import os
import stripe

client = stripe.StripeClient(os.environ["TOLLGATE_KEY"], base_addresses={"api": os.environ["TOLLGATE_URL"]})
try:
    client.v1.payment_intents.create({
        "amount": 2000, "currency": "usd", "confirm": True,
        "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    })
except stripe.CardError as error:
    print(error.code, error.error.decline_code, error.error.payment_intent.status)
