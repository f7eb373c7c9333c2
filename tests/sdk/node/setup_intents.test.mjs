// Setup intents through the official Node SDK. Run by tests/run.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './server.mjs';

const KEY = 'test_nodesetups0123456789abcdefgh';
let server, stripe, page;

before(async () => {
  server = await startServer();
  stripe = server.client(`sk_${KEY}`);
  page = server.client(`pk_${KEY}`);
});

after(() => server?.stop());

test('a card is set up for its customer and pays while the customer is away', async () => {
  const customer = await stripe.customers.create({ name: 'Jenny' });
  const intent = await stripe.setupIntents.create({ customer: customer.id, payment_method_types: ['card'] });
  const confirmed = await page.setupIntents.confirm(intent.id, {
    client_secret: intent.client_secret,
    payment_method: 'pm_card_authenticationRequiredOnSetup',
    return_url: 'https://shop.example/back',
    mandate_data: { customer_acceptance: { type: 'online', online: { ip_address: '10.0.0.1', user_agent: 'test' } } },
  });
  assert.equal(confirmed.status, 'requires_action');
  assert.equal(confirmed.next_action.type, 'redirect_to_url');
  const answer = await fetch(confirmed.next_action.redirect_to_url.url, {
    method: 'POST', body: 'outcome=complete', redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  assert.match(answer.headers.get('location'), /redirect_status=succeeded/);
  const ready = await stripe.setupIntents.retrieve(intent.id, { expand: ['latest_attempt', 'mandate'] });
  assert.equal(ready.status, 'succeeded');
  assert.equal(ready.latest_attempt.status, 'succeeded');
  assert.equal(ready.mandate.customer_acceptance.online.ip_address, '10.0.0.1');
  const paid = await stripe.paymentIntents.create({ amount: 1200, currency: 'eur', customer: customer.id,
    payment_method: ready.payment_method, off_session: true, confirm: true });
  assert.equal(paid.status, 'succeeded');
});

test('a decline carries the setup intent, and its attempts are listed', async () => {
  let setup;
  await assert.rejects(stripe.setupIntents.create({ payment_method: 'pm_card_chargeDeclinedExpiredCard', confirm: true }),
    (error) => {
      assert.equal(error.type, 'StripeCardError');
      assert.equal(error.code, 'expired_card');
      setup = error.setup_intent;
      return true;
    });
  assert.equal(setup.status, 'requires_payment_method');
  assert.equal(setup.last_setup_error.payment_method.card.last4, '0069');
  await stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_visa' });
  const attempts = await stripe.setupAttempts.list({ setup_intent: setup.id });
  assert.deepEqual(attempts.data.map((attempt) => attempt.status), ['succeeded', 'failed']);
});

test('a canceled setup intent stays canceled', async () => {
  const intent = await stripe.setupIntents.create({});
  const canceled = await stripe.setupIntents.cancel(intent.id, { cancellation_reason: 'duplicate' });
  assert.equal(canceled.cancellation_reason, 'duplicate');
  await assert.rejects(stripe.setupIntents.cancel(intent.id), { code: 'setup_intent_unexpected_state' });
});
