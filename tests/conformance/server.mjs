// The server that is looked at, and plain ways to talk to it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

const SERVER = process.env.BANYAN_URL ?? 'http://127.0.0.1:8080';
const KEY = process.env.BANYAN_KEY ?? '';

export const ENDPOINT = `${SERVER}/graphql`;
export const SOCKET = ENDPOINT.replace(/^http/, 'ws');
export const CREDENTIAL = `Bearer ${KEY}`;

/** What every suite asks for: the demo has people enough. */
export const BOARD = '{ leaderboard(first: 3) { nodes { rank score user { displayName } } } }';
export const LIVE_BOARD = 'subscription { leaderboard(first: 3) { version entries { rank user { displayName } } } }';
export const SIGN_UP = `mutation SignUp($externalId: String!) {
  signUp(input: { externalId: $externalId }) { created userErrors { code } }
}`;

let people = 0;

/** A person whom no other check has, so that everything can run again on the same database. */
export function newcomer() {
  people += 1;
  return `conformance-${Date.now()}-${people}`;
}

export function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}

export async function isReady() {
  assert.ok(KEY, 'BANYAN_KEY is not set');
  const response = await fetch(`${SERVER}/health/ready`);
  assert.equal(response.status, 200, 'the server is not ready');
}

/** Sends the parameters of a request as JSON. */
export function post(parameters, headers = {}) {
  return fetch(ENDPOINT, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: CREDENTIAL, ...headers },
    body: JSON.stringify(parameters),
  });
}

/** Sends the parameters of a request in the address; objects become JSON. */
export function get(parameters, headers = {}) {
  const url = new URL(ENDPOINT);
  for (const [name, value] of Object.entries(parameters)) {
    url.searchParams.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return fetch(url, { headers: { authorization: CREDENTIAL, ...headers } });
}

/** Makes sure that this is the board that was asked for. */
export function isBoard({ data, errors }) {
  assert.equal(errors, undefined);
  assert.deepEqual(
    data.leaderboard.nodes.map(({ rank }) => typeof rank),
    ['number', 'number', 'number'],
  );
}
