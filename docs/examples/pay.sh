curl -sS --fail-with-body "$TOLLGATE_URL/v1/payment_intents" -u "$TOLLGATE_KEY:" \
  -H "Idempotency-Key: order-6735-$RANDOM" \
  -d amount=2000 -d currency=usd -d payment_method=pm_card_visa -d confirm=true \
  -d "automatic_payment_methods[enabled]=true" -d "automatic_payment_methods[allow_redirects]=never" \
  -d "metadata[order]=6735" -d "expand[]=latest_charge.balance_transaction"
