// GraphQL over server-sent events: PROTOCOL.md of the graphql-sse package, "distinct connections mode", and its client.
import assert from 'node:assert/strict';
import { createClient } from 'graphql-sse';
import { BOARD, CREDENTIAL, ENDPOINT, LIVE_BOARD, SIGN_UP, get, isBoard, newcomer, post } from '../server.mjs';

const WANTED = { accept: 'text/event-stream' };

const withClient = (check) => async () => {
  const client = createClient({ url: ENDPOINT, headers: { authorization: CREDENTIAL }, retryAttempts: 0 });
  await check(client);
  client.dispose();
};

/** The whole of a stream that ends: the one result that is in it. */
async function only(response) {
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const [, json] = (await response.text()).match(/^event: next\ndata: (.*)\n\nevent: complete\ndata:\n\n$/);
  return JSON.parse(json);
}

/** What is not run: a result with errors and no data, in a stream that is accepted. */
async function isRefused(response, code) {
  const result = await only(response);
  assert.equal(result.errors[0].extensions.code, code);
  assert.ok(!('data' in result));
}

async function firstEvent(response) {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('\n\n')) break;
  }
  return text.slice(0, text.indexOf('\n\n'));
}

const protocol = [
  ['a query by POST', async () => isBoard(await only(await post({ query: BOARD }, WANTED)))],
  ['a query by GET', async () => isBoard(await only(await get({ query: BOARD }, WANTED)))],
  [
    'a mutation by POST',
    async () => {
      const variables = { externalId: newcomer() };
      const { data } = await only(await post({ query: SIGN_UP, variables }, WANTED));
      assert.equal(data.signUp.created, true);
    },
  ],
  [
    'a mutation by GET is 405',
    async () => {
      const variables = { externalId: newcomer() };
      const response = await get({ query: SIGN_UP, variables }, WANTED);
      assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST']);
    },
  ],
  ...[
    ['POST', post],
    ['GET', get],
  ].map(([method, send]) => [
    `a subscription by ${method} says the current value at once`,
    async () => {
      const response = await send({ query: LIVE_BOARD }, WANTED);
      assert.equal(response.headers.get('content-type'), 'text/event-stream');
      const event = await firstEvent(response);
      assert.match(event, /^event: next\ndata: \{"data":\{"leaderboard":/);
    },
  ]),
  ['a syntax error comes in the stream', async () => isRefused(await post({ query: '{' }, WANTED), 'BAD_USER_INPUT')],
  ['an unknown field does', async () => isRefused(await post({ query: '{ nothing }' }, WANTED), 'BAD_USER_INPUT')],
  [
    'a subscription to nothing does',
    async () => isRefused(await post({ query: 'subscription { nothing }' }, WANTED), 'BAD_USER_INPUT'),
  ],
  [
    'a document over the limits does',
    async () => {
      const deep = 'referredUsers(first: 100) { nodes { '.repeat(4);
      const query = `{ viewer { ${deep} id ${'} } '.repeat(4)} } }`;
      await isRefused(await post({ query }, WANTED), 'QUERY_TOO_COMPLEX');
    },
  ],
  [
    'a credential that is not good is 401',
    async () => {
      const response = await post({ query: BOARD }, { ...WANTED, authorization: 'Bearer nobody-s' });
      assert.equal(response.status, 401);
      assert.equal((await response.json()).errors[0].extensions.code, 'UNAUTHENTICATED');
    },
  ],
  [
    'a body that is no JSON is 415',
    async () => assert.equal((await post({ query: BOARD }, { ...WANTED, 'content-type': 'text/plain' })).status, 415),
  ],
  [
    'who takes JSON as well gets a query whole',
    async () => {
      const response = await post({ query: BOARD }, { accept: 'application/graphql-response+json, text/event-stream' });
      assert.match(response.headers.get('content-type'), /^application\/graphql-response\+json/);
      isBoard(await response.json());
    },
  ],
  [
    'who takes only JSON cannot subscribe',
    async () => {
      const response = await post({ query: LIVE_BOARD }, { accept: 'application/graphql-response+json' });
      assert.equal(response.status, 400);
    },
  ],
];

const client = [
  [
    'graphql-sse: a query',
    withClient(async (client) => {
      for await (const result of client.iterate({ query: BOARD })) isBoard(result);
    }),
  ],
  [
    'graphql-sse: a mutation with variables',
    withClient(async (client) => {
      for await (const { data } of client.iterate({ query: SIGN_UP, variables: { externalId: newcomer() } })) {
        assert.equal(data.signUp.created, true);
      }
    }),
  ],
  [
    'graphql-sse: a subscription, given up after its first result',
    withClient(async (client) => {
      for await (const { data } of client.iterate({ query: LIVE_BOARD })) {
        assert.equal(data.leaderboard.entries.length, 3);
        break;
      }
    }),
  ],
  [
    'graphql-sse: what is refused is a result with errors',
    withClient(async (client) => {
      const results = [];
      for await (const result of client.iterate({ query: '{ nothing }' })) results.push(result);
      assert.deepEqual(
        results.map(({ errors }) => errors[0].extensions.code),
        ['BAD_USER_INPUT'],
      );
    }),
  ],
];

export const checks = [...protocol, ...client];
