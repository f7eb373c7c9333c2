// Webhook endpoints, event destinations and the signatures of deliveries, through the official Node SDK. Run by tests/run.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { startServer } from './server.mjs';

let server, stripe, receiver, url;
const waiting = [];
const taken = [];

// The next delivery: its headers and body.
function take() {
  if (taken.length) return taken.shift();
  return new Promise((resolve) => waiting.push(resolve));
}

before(async () => {
  server = await startServer();
  stripe = server.client('sk_test_nodewebhooks0123456789abcdef');
  receiver = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    response.end();
    const delivery = { headers: request.headers, body: Buffer.concat(parts) };
    const next = waiting.shift();
    if (next) next(delivery);
    else taken.push(delivery);
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${receiver.address().port}/hooks`;
});

after(() => {
  receiver?.closeAllConnections();
  receiver?.close();
  server?.stop();
});

function opens({ headers, body }, secret) {
  try {
    return stripe.webhooks.constructEvent(body, headers['stripe-signature'], secret);
  } catch (error) {
    assert.equal(error.type, 'StripeSignatureVerificationError');
    return null;
  }
}

test('an endpoint is made, changed, listed and deleted', async () => {
  const made = await stripe.webhookEndpoints.create({ url, enabled_events: ['charge.failed'], metadata: { shop: '7' } });
  assert.match(made.id, /^we_/);
  assert.match(made.secret, /^whsec_[0-9A-Za-z]{32}$/);
  const seen = await stripe.webhookEndpoints.retrieve(made.id);
  assert.equal(seen.secret, undefined);
  assert.deepEqual(seen.enabled_events, ['charge.failed']);
  const changed = await stripe.webhookEndpoints.update(made.id, { enabled_events: ['*'], disabled: true });
  assert.deepEqual([changed.status, changed.enabled_events], ['disabled', ['*']]);
  const listed = [];
  for await (const one of stripe.webhookEndpoints.list({ limit: 1 })) listed.push(one.id);
  assert.deepEqual(listed, [made.id]);
  assert.equal((await stripe.webhookEndpoints.del(made.id)).deleted, true);
  await assert.rejects(stripe.webhookEndpoints.retrieve(made.id), { statusCode: 404, code: 'resource_missing' });
  await assert.rejects(stripe.webhookEndpoints.create({ url: 'https://192.168.0.1/', enabled_events: ['*'] }),
    { statusCode: 400, param: 'url', code: 'url_invalid' });
  await assert.rejects(stripe.webhookEndpoints.create({ url, enabled_events: ['charge.exploded'] }),
    { statusCode: 400, param: 'enabled_events[0]' });
});

test('deliveries are verified, also while a secret is rolled', async () => {
  const made = await stripe.webhookEndpoints.create({ url, enabled_events: ['customer.created'] });
  const customer = await stripe.customers.create({ email: 'a@example.com' });
  const first = await take();
  const event = opens(first, made.secret);
  assert.deepEqual([event.type, event.data.object.id], ['customer.created', customer.id]);
  assert.equal(opens({ ...first, body: `${first.body} ` }, made.secret), null);
  const rolled = await stripe.rawRequest('POST', `/v1/webhook_endpoints/${made.id}/roll_secret`, { expires_in: 3600 });
  await stripe.customers.create({ email: 'b@example.com' });
  const second = await take();
  assert.ok(opens(second, made.secret) && opens(second, rolled.secret));
  const last = await stripe.rawRequest('POST', `/v1/webhook_endpoints/${made.id}/roll_secret`, { expires_in: 0 });
  await stripe.customers.create({ email: 'c@example.com' });
  const third = await take();
  assert.ok(opens(third, last.secret));
  assert.equal(opens(third, made.secret), null);
  assert.equal(opens(third, rolled.secret), null);
  await stripe.webhookEndpoints.del(made.id);
});

test('an event destination is sent thin events', async () => {
  const made = await stripe.v2.core.eventDestinations.create({
    name: 'orders', type: 'webhook_endpoint', event_payload: 'thin', enabled_events: ['v1.customer.created'],
    webhook_endpoint: { url }, include: ['webhook_endpoint.signing_secret', 'webhook_endpoint.url'],
  });
  assert.deepEqual([made.object, made.status, made.webhook_endpoint.url], ['v2.core.event_destination', 'enabled', url]);
  const customer = await stripe.customers.create({ email: 'd@example.com' });
  const { headers, body } = await take();
  const told = stripe.parseEventNotification(body, headers['stripe-signature'], made.webhook_endpoint.signing_secret);
  assert.deepEqual([told.type, told.related_object.id], ['v1.customer.created', customer.id]);
  const event = await stripe.v2.core.events.retrieve(told.id);
  assert.equal(event.related_object.url, `/v1/customers/${customer.id}`);
  const changed = await stripe.v2.core.eventDestinations.update(made.id, { name: 'all', metadata: { shop: '7' } });
  assert.deepEqual([changed.name, changed.metadata.shop], ['all', '7']);
  assert.equal((await stripe.v2.core.eventDestinations.disable(made.id)).status, 'disabled');
  assert.equal((await stripe.v2.core.eventDestinations.enable(made.id)).status, 'enabled');
  const listed = await stripe.v2.core.eventDestinations.list({ limit: 1 });
  assert.deepEqual(listed.data.map((one) => one.id), [made.id]);
  assert.equal((await stripe.v2.core.eventDestinations.del(made.id)).id, made.id);
});
