import Stripe from 'stripe';

const url = new URL(process.env.TOLLGATE_URL);
const stripe = new Stripe(process.env.TOLLGATE_KEY, { host: url.hostname, port: url.port, protocol: 'http' });
const customer = await stripe.customers.create({ name: 'Jenny Rosen', email: 'jenny.rosen@example.com' });
const found = await stripe.customers.search({ query: "email~'rosen' AND -name:null", limit: 5 });
console.log(found.data.some((one) => one.id === customer.id));
for await (const intent of stripe.paymentIntents.list({ customer: customer.id, limit: 3 })) console.log(intent.id);
