// Lists, search and expansion through the official Node SDK. Run by tests/run.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './server.mjs';

let server, stripe, customers;

before(async () => {
  server = await startServer();
  stripe = server.client('sk_test_nodelists0123456789abcdefgh');
  customers = [];
  for (let number = 0; number < 9; number += 1) {
    const customer = await stripe.customers.create({ name: `Number ${number}`, metadata: { odd: String(number % 2) } });
    customers.unshift(customer.id);
  }
});

after(() => server?.stop());

const ids = async (pages) => {
  const found = [];
  for await (const one of pages) found.push(one.id);
  return found;
};

test('the SDK walks lists and searches page by page', async () => {
  assert.deepEqual(await ids(stripe.customers.list({ limit: 2 })), customers);
  const backwards = await ids(stripe.customers.list({ limit: 2, ending_before: customers.at(-1) }));
  assert.deepEqual(backwards, customers.slice(0, -1).reverse());
  const odd = customers.filter((_, at) => at % 2 === 1);
  assert.deepEqual(await ids(stripe.customers.search({ query: "metadata['odd']:'1'", limit: 1 })), odd);
  assert.deepEqual(await ids(stripe.customers.search({ query: "name~'number' AND -metadata['odd']:'0'", limit: 100 })), odd);
  const counted = await stripe.customers.search({ query: "metadata['odd']:'1'", limit: 1, expand: ['total_count'] });
  assert.equal(counted.total_count, 4);
});

test('references are expanded in lists and searches', async () => {
  await stripe.paymentIntents.create({ amount: 2000, currency: 'usd', payment_method: 'pm_card_visa', confirm: true,
    customer: customers[0], automatic_payment_methods: { enabled: true, allow_redirects: 'never' } });
  const listed = await stripe.charges.list({ limit: 1, expand: ['data.customer', 'data.balance_transaction.source'] });
  assert.equal(listed.data[0].customer.name, 'Number 8');
  assert.equal(listed.data[0].balance_transaction.source.id, listed.data[0].id);
  const found = await stripe.paymentIntents.search({ query: 'amount:2000', expand: ['data.latest_charge'] });
  assert.equal(found.data[0].latest_charge.object, 'charge');
  await assert.rejects(stripe.charges.list({ expand: ['customer'] }), { type: 'StripeInvalidRequestError' });
});

test('a malformed query names its parameter', async () => {
  await assert.rejects(stripe.customers.search({ query: 'shoe_size>5' }),
    { type: 'StripeInvalidRequestError', param: 'query' });
});
