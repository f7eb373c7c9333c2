customer=$(curl -sS --fail-with-body "$TOLLGATE_URL/v1/customers" -u "$TOLLGATE_KEY:" \
  -d name="Jenny Rosen" -d email=jenny.rosen@example.com | sed -n 's/^  "id": "\(.*\)",$/\1/p')
curl -sS --fail-with-body -G "$TOLLGATE_URL/v1/customers/search" -u "$TOLLGATE_KEY:" \
  --data-urlencode "query=email~'rosen' AND -name:null" -d limit=5
curl -sS --fail-with-body -G "$TOLLGATE_URL/v1/payment_intents" -u "$TOLLGATE_KEY:" \
  -d customer="$customer" -d limit=3 -d "expand[]=data.latest_charge"
