// Payment intents with the official Node SDK: payers who must act, changes, holds in parts. Run by tests/run.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './server.mjs';

let server, stripe;

before(async () => {
  server = await startServer();
  stripe = server.client('sk_test_nodeintents0123456789abcdef');
});

after(() => server?.stop());

const pay = (card, params = {}) => stripe.paymentIntents.create(
  { amount: 2000, currency: 'usd', payment_method: `pm_card_${card}`, confirm: true, ...params });

const press = (url, outcome) => fetch(url, {
  method: 'POST', redirect: 'manual', body: `outcome=${outcome}`,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

test('a payer follows the redirect, proves who they are and comes back', async () => {
  const intent = await pay('threeDSecure2Required', { return_url: 'https://shop.example/back' });
  assert.equal(intent.status, 'requires_action');
  assert.equal(intent.next_action.type, 'redirect_to_url');
  const page = await fetch(intent.next_action.redirect_to_url.url);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /value="complete".*value="fail"/s);
  const answer = await press(intent.next_action.redirect_to_url.url, 'complete');
  const back = new URL(answer.headers.get('location'));
  assert.equal(back.searchParams.get('payment_intent'), intent.id);
  assert.equal(back.searchParams.get('payment_intent_client_secret'), intent.client_secret);
  assert.equal(back.searchParams.get('redirect_status'), 'succeeded');
  assert.equal((await stripe.paymentIntents.retrieve(intent.id)).status, 'succeeded');
});

test('a payer who fails is asked for another card', async () => {
  const intent = await pay('threeDSecure2Required');
  assert.equal(intent.next_action.type, 'use_stripe_sdk');
  await press(intent.next_action.use_stripe_sdk.stripe_js, 'fail');
  const failed = await stripe.paymentIntents.retrieve(intent.id);
  assert.equal(failed.status, 'requires_payment_method');
  assert.equal(failed.last_payment_error.code, 'payment_intent_authentication_failure');
});

test('an intent is shown to whoever knows its secret', async () => {
  const intent = await pay('visa');
  const seen = await stripe.paymentIntents.retrieve(intent.id, { client_secret: intent.client_secret });
  assert.equal(seen.id, intent.id);
  await assert.rejects(stripe.paymentIntents.retrieve(intent.id, { client_secret: `${intent.id}_secret_x` }),
    (error) => error.type === 'StripeInvalidRequestError' && error.param === 'client_secret');
});

test('an intent changes until it is paid', async () => {
  const intent = await stripe.paymentIntents.create({ amount: 2000, currency: 'usd' });
  const changed = await stripe.paymentIntents.update(intent.id,
    { amount: 2500, payment_method: 'pm_card_visa', metadata: { order: '7' } });
  assert.deepEqual([changed.amount, changed.status], [2500, 'requires_confirmation']);
  assert.equal((await stripe.paymentIntents.confirm(intent.id)).amount_received, 2500);
  await assert.rejects(stripe.paymentIntents.update(intent.id, { amount: 3000 }),
    (error) => error.code === 'payment_intent_unexpected_state' && error.param === 'amount');
});

test('a hold is raised and captured in parts', async () => {
  const card = { request_incremental_authorization: 'if_available', request_multicapture: 'if_available' };
  const intent = await pay('visa', { capture_method: 'manual', payment_method_options: { card } });
  await stripe.paymentIntents.incrementAuthorization(intent.id, { amount: 5000 });
  const part = await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1500, final_capture: false });
  assert.deepEqual([part.status, part.amount_received, part.amount_capturable], ['requires_capture', 1500, 3500]);
  const whole = await stripe.paymentIntents.capture(intent.id);
  assert.deepEqual([whole.status, whole.amount_received], ['succeeded', 5000]);
});
