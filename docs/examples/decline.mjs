import Stripe from 'stripe';

const url = new URL(process.env.TOLLGATE_URL);
const stripe = new Stripe(process.env.TOLLGATE_KEY, { host: url.hostname, port: url.port, protocol: 'http' });
try {
  await stripe.paymentIntents.create({
    amount: 2000, currency: 'usd', confirm: true, payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds',
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  });
} catch (error) {
  console.log(error.code, error.decline_code, error.payment_intent.status);
}
