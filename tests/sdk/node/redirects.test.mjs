// Payments that are agreed to on another company's page, through the official Node SDK. Run by tests/run.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './server.mjs';

const BACK = 'https://shop.example/back';
let server, stripe;

before(async () => {
  server = await startServer();
  stripe = server.client('sk_test_noderedirects0123456789abcd');
});

after(() => server?.stop());

// Presses a button of the test page, as a browser would; returns where it leads.
async function act(url, outcome) {
  const page = await fetch(url);
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-type'), /text\/html/);
  await page.text();
  const pressed = await fetch(url, {
    method: 'POST', body: new URLSearchParams({ outcome }), redirect: 'manual',
  });
  await pressed.arrayBuffer();
  return new URL(pressed.headers.get('location'));
}

function pay(type, currency, more = {}) {
  return stripe.paymentIntents.create({
    amount: 5000, currency, payment_method_types: [type], payment_method_data: { type },
    confirm: true, return_url: BACK, ...more,
  });
}

test('a payer who agrees has paid, and comes back to the shop', async () => {
  let intent = await pay('ideal', 'eur');
  assert.equal(intent.status, 'requires_action');
  assert.equal(intent.next_action.type, 'redirect_to_url');
  assert.equal(intent.next_action.redirect_to_url.return_url, BACK);
  const back = await act(intent.next_action.redirect_to_url.url, 'complete');
  assert.equal(back.origin + back.pathname, BACK);
  assert.equal(back.searchParams.get('payment_intent'), intent.id);
  assert.equal(back.searchParams.get('redirect_status'), 'succeeded');
  intent = await stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge'] });
  assert.equal(intent.status, 'succeeded');
  assert.match(intent.latest_charge.id, /^py_/);
  assert.equal(intent.latest_charge.payment_method_details.type, 'ideal');
  const refund = await stripe.refunds.create({ payment_intent: intent.id, amount: 1000 });
  assert.match(refund.id, /^pyr_/);
});

test('a payer who does not agree may pay otherwise', async () => {
  let intent = await pay('paypal', 'eur', { payment_method_types: ['paypal', 'card'] });
  const back = await act(intent.next_action.redirect_to_url.url, 'fail');
  assert.equal(back.searchParams.get('redirect_status'), 'failed');
  intent = await stripe.paymentIntents.retrieve(intent.id);
  assert.equal(intent.status, 'requires_payment_method');
  assert.equal(intent.last_payment_error.code, 'payment_intent_authentication_failure');
  intent = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa', return_url: BACK });
  assert.equal(intent.status, 'succeeded');
});

test('settings of a type are shown, and hold its payment for the merchant', async () => {
  let intent = await pay('klarna', 'eur', {
    payment_method_options: { klarna: { capture_method: 'manual', preferred_locale: 'de-AT' } },
  });
  assert.deepEqual(intent.payment_method_options.klarna, { capture_method: 'manual', preferred_locale: 'de-AT' });
  await act(intent.next_action.redirect_to_url.url, 'complete');
  intent = await stripe.paymentIntents.retrieve(intent.id);
  assert.equal(intent.status, 'requires_capture');
  intent = await stripe.paymentIntents.capture(intent.id);
  assert.equal(intent.amount_received, 5000);
});

test('no return_url, no redirect', async () => {
  await assert.rejects(pay('ideal', 'eur', { return_url: undefined }), (error) => {
    assert.equal(error.type, 'StripeInvalidRequestError');
    assert.match(error.message, /return_url/);
    return true;
  });
});
