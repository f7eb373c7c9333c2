held=$(curl -sS --fail-with-body "$TOLLGATE_URL/v1/payment_intents" -u "$TOLLGATE_KEY:" \
  -d amount=5000 -d currency=usd -d payment_method=pm_card_visa -d confirm=true -d capture_method=manual \
  -d "automatic_payment_methods[enabled]=true" -d "automatic_payment_methods[allow_redirects]=never")
intent=$(printf '%s' "$held" | sed -n 's/^  "id": "\(.*\)",$/\1/p')
curl -sS --fail-with-body "$TOLLGATE_URL/v1/payment_intents/$intent/capture" -u "$TOLLGATE_KEY:" \
  -d amount_to_capture=3000
curl -sS --fail-with-body "$TOLLGATE_URL/v1/refunds" -u "$TOLLGATE_KEY:" \
  -d payment_intent="$intent" -d amount=1000
