// A web shop of 2019 that was never touched again: the official Node SDK of that time. Run by tests/run.
const { after, before, test } = require('node:test');
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { createInterface } = require('node:readline');
const Stripe = require('stripe');

const READY_MS = 30_000;
let server;
let directory;
let stripe;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tollgate-sdk-'));
  server = spawn(process.env.TOLLGATE_BINARY, ['serve', '--dev', '--data', join(directory, 'data'),
    '--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const watchdog = setTimeout(() => server.kill('SIGKILL'), READY_MS);
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: server.stdout }).once('line', resolve);
    server.once('exit', (code) => reject(new Error(`the server stopped with ${code}`)));
  });
  clearTimeout(watchdog);
  const api = new URL(/api=(http:\S+)/.exec(line)[1]);
  stripe = new Stripe('sk_test_node2019suite0123456789abcd', '2019-08-14');
  stripe.setHost(api.hostname, api.port, 'http');
});

after(() => {
  server?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

test('a charge with a token, and its refund', async () => {
  const charge = await stripe.charges.create({ amount: 999, currency: 'usd', source: 'tok_visa' });
  assert.equal(charge.status, 'succeeded');
  assert.equal(charge.source.brand, 'Visa');
  const refund = await stripe.refunds.create({ charge: charge.id });
  assert.equal(refund.amount, 999);
  const after = await stripe.charges.retrieve(charge.id);
  assert.equal(after.refunded, true);
  assert.equal(after.refunds.data[0].id, refund.id);
});

test('an intent that asks for authentication names the page to go to', async () => {
  const intent = await stripe.paymentIntents.create({
    amount: 1200, currency: 'eur', payment_method_types: ['card'], payment_method: 'pm_card_threeDSecure2Required',
    confirm: true, return_url: 'https://shop.example/back',
  });
  assert.equal(intent.status, 'requires_action');
  assert.equal(intent.next_action.type, 'redirect_to_url');
  assert.equal(intent.next_action.redirect_to_url.return_url, 'https://shop.example/back');
  assert.equal(intent.charges.data.length, 0);
});

test('a declined charge is a card error', async () => {
  await assert.rejects(stripe.charges.create({ amount: 999, currency: 'usd', source: 'tok_chargeDeclined' }), (error) => {
    assert.equal(error.type, 'StripeCardError');
    assert.equal(error.code, 'card_declined');
    assert.equal(error.decline_code, 'generic_decline');
    return true;
  });
});

test('lists page by themselves', async () => {
  for (let at = 0; at < 12; at += 1) {
    await stripe.customers.create({ email: `shopper${at}@example.com` });
  }
  const seen = [];
  for await (const customer of stripe.customers.list({ limit: 5 })) {
    seen.push(customer.email);
  }
  assert.equal(seen.length, 12);
  assert.equal(seen[0], 'shopper11@example.com');
});
