// Bank debits through the official Node SDK. Run by tests/run.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from './server.mjs';

const SETTLED_MS = 30_000;
let server, stripe;

before(async () => {
  server = await startServer();
  stripe = server.client('sk_test_nodebankdebits0123456789abcd');
});

after(() => server?.stop());

test('a debit is processing, then paid, and its refund says that it is no card', async () => {
  let intent = await stripe.paymentIntents.create({
    amount: 2000, currency: 'eur', payment_method_types: ['sepa_debit'], confirm: true,
    payment_method_data: {
      type: 'sepa_debit', sepa_debit: { iban: 'AT611904300234573201' },
      billing_details: { name: 'Jenny', email: 'jenny@example.com' },
    },
    mandate_data: { customer_acceptance: { type: 'offline' } },
  });
  assert.equal(intent.status, 'processing');
  const until = Date.now() + SETTLED_MS;
  while (intent.status === 'processing' && Date.now() < until) {
    await sleep(100);
    intent = await stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge.balance_transaction'] });
  }
  assert.equal(intent.status, 'succeeded');
  assert.match(intent.latest_charge.id, /^py_/);
  assert.equal(intent.latest_charge.payment_method_details.sepa_debit.country, 'AT');
  assert.equal(intent.latest_charge.balance_transaction.type, 'payment');
  const refund = await stripe.refunds.create({ charge: intent.latest_charge.id });
  assert.match(refund.id, /^pyr_/);
});
