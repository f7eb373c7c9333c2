import Stripe from 'stripe';

const url = new URL(process.env.TOLLGATE_URL);
const stripe = new Stripe(process.env.TOLLGATE_KEY, { host: url.hostname, port: url.port, protocol: 'http' });
const intent = await stripe.paymentIntents.create({
  amount: 5000, currency: 'usd', payment_method: 'pm_card_visa', confirm: true, capture_method: 'manual',
  automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
});
const captured = await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 3000 });
const refund = await stripe.refunds.create({ payment_intent: intent.id, amount: 1000 });
console.log(captured.amount_received, refund.status);
