// A server of its own for a suite, on a fresh directory.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Stripe from 'stripe';

// Longest wait until it is ready.
export const READY_MS = 30_000;

// Starts the server; `client(key)` speaks to it through the SDK, `stop()` ends it and removes its data.
export async function startServer() {
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-sdk-'));
  const server = spawn(process.env.TOLLGATE_BINARY, ['serve', '--dev', '--data', join(directory, 'data'),
    '--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = () => {
    server.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  const watchdog = setTimeout(() => server.kill('SIGKILL'), READY_MS);
  try {
    const line = await new Promise((resolve, reject) => {
      createInterface({ input: server.stdout }).once('line', resolve);
      server.once('error', reject);
      server.once('exit', (code) => reject(new Error(`the server stopped with ${code}`)));
    });
    const address = /api=(http:\S+)/.exec(line)[1];
    const { hostname: host, port } = new URL(address);
    const client = (key) => new Stripe(key, { host, port, protocol: 'http', maxNetworkRetries: 0 });
    return { address, client, stop };
  } catch (error) {
    stop();
    throw error;
  } finally {
    clearTimeout(watchdog);
  }
}
