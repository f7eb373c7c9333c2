import Stripe from 'stripe';

const url = new URL(process.env.TOLLGATE_URL);
const stripe = new Stripe(process.env.TOLLGATE_KEY, { host: url.hostname, port: url.port, protocol: 'http' });
const intent = await stripe.paymentIntents.create({
  amount: 2000, currency: 'usd', payment_method: 'pm_card_visa', confirm: true,
  automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  metadata: { order: '6735' }, expand: ['latest_charge.balance_transaction'],
});
console.log(intent.status, intent.latest_charge.balance_transaction.net);
