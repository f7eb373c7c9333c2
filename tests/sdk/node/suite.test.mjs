// The official Node SDK, unmodified, against a running Tollgate. Run by tests/run.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { READY_MS, startServer } from './server.mjs';

let server, stripe;

before(async () => {
  server = await startServer();
  stripe = server.client('sk_test_nodesuite0123456789abcdefgh');
});

after(() => server?.stop());

const pay = (params = {}, options = {}) => stripe.paymentIntents.create(
  { amount: 2000, currency: 'usd', payment_method: 'pm_card_visa', confirm: true, ...params }, options);

test('a confirmed payment succeeds and is retrieved, listed and captured in the books', async () => {
  const intent = await pay({ metadata: { order: '1' } });
  assert.equal(intent.status, 'succeeded');
  const again = await stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge.balance_transaction'] });
  assert.equal(again.latest_charge.balance_transaction.net, 2000 - 88);
  const listed = await stripe.paymentIntents.list({ limit: 3 });
  assert.equal(listed.data[0].id, intent.id);
  const balance = await stripe.balance.retrieve();
  assert.ok(balance.pending.some((part) => part.currency === 'usd' && part.amount >= 1912));
});

test('a retry with the same key returns the first intent', async () => {
  const idempotencyKey = randomUUID();
  const [first, second] = await Promise.all([pay({}, { idempotencyKey }), pay({}, { idempotencyKey })]);
  assert.equal(first.id, second.id);
  await assert.rejects(pay({ amount: 2001 }, { idempotencyKey }), { type: 'StripeIdempotencyError' });
});

test('a decline is a card error with the intent inside', async () => {
  await assert.rejects(pay({ payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds' }), (error) => {
    assert.equal(error.type, 'StripeCardError');
    assert.equal(error.decline_code, 'insufficient_funds');
    assert.equal(error.payment_intent.status, 'requires_payment_method');
    return true;
  });
});

test('a remote network approves, declines, and is captured from', async () => {
  assert.equal((await pay({ payment_method: 'pm_card_tollgate_remoteSlow' })).status, 'succeeded');
  await assert.rejects(pay({ payment_method: 'pm_card_tollgate_remoteDecline' }), { type: 'StripeCardError' });
  const hold = await pay({ payment_method: 'pm_card_tollgate_remote', capture_method: 'manual' });
  assert.equal((await stripe.paymentIntents.capture(hold.id)).status, 'succeeded');
  assert.equal((await stripe.refunds.create({ charge: hold.latest_charge })).status, 'succeeded');
});

test('manual capture, refund and cancel', async () => {
  const hold = await pay({ capture_method: 'manual' });
  const captured = await stripe.paymentIntents.capture(hold.id, { amount_to_capture: 1500 });
  assert.equal(captured.amount_received, 1500);
  const refund = await stripe.refunds.create({ payment_intent: hold.id, amount: 500 });
  assert.equal(refund.status, 'succeeded');
  const other = await pay({ capture_method: 'manual' });
  assert.equal((await stripe.paymentIntents.cancel(other.id)).status, 'canceled');
});

test('customers page in both directions', async () => {
  const made = [];
  for (let at = 0; at < 12; at += 1) made.push((await stripe.customers.create({ name: `n${at}` })).id);
  const seen = await stripe.customers.list({ limit: 5 }).autoPagingToArray({ limit: 100 });
  assert.deepEqual(seen.map((customer) => customer.id), made.reverse());
});

test('errors are typed', async () => {
  await assert.rejects(stripe.paymentIntents.retrieve('pi_nobody'), { code: 'resource_missing', statusCode: 404, param: 'intent' });
  await assert.rejects(stripe.paymentIntents.create({ amount: 100 }), { code: 'parameter_missing', param: 'currency' });
});

test('a thousand concurrent refunds never exceed the capture', async () => {
  const intent = await pay({ amount: 10_000 });
  const tries = await Promise.allSettled(Array.from({ length: 1000 }, () =>
    stripe.refunds.create({ payment_intent: intent.id, amount: 100 })));
  assert.equal(tries.filter((one) => one.status === 'fulfilled').length, 100);
  const charge = await stripe.charges.retrieve(intent.latest_charge);
  assert.equal(charge.amount_refunded, 10_000);
});

test('the examples of the reference page run', () => {
  const says = { pay: 'succeeded 1912', hold: '3000 succeeded',
    decline: 'card_declined insufficient_funds requires_payment_method', find: 'true' };
  for (const [name, said] of Object.entries(says)) {
    // Beside this file, where the SDK is found.
    const copy = join(import.meta.dirname, `example-${name}.mjs`);
    copyFileSync(join(import.meta.dirname, '../../../docs/examples', `${name}.mjs`), copy);
    const env = { ...process.env, TOLLGATE_URL: server.address, TOLLGATE_KEY: 'sk_test_nodeexamples0123456789abcd' };
    const printed = execFileSync(process.execPath, [copy], { env, encoding: 'utf8', timeout: READY_MS });
    assert.ok(printed.startsWith(said), `${name} printed ${printed}`);
  }
});
