curl -sS "$TOLLGATE_URL/v1/payment_intents" -u "$TOLLGATE_KEY:" \
  -d amount=2000 -d currency=usd -d payment_method=pm_card_visa_chargeDeclinedInsufficientFunds -d confirm=true \
  -d "automatic_payment_methods[enabled]=true" -d "automatic_payment_methods[allow_redirects]=never" |
  grep '"decline_code": "insufficient_funds"'
