// graphql-transport-ws: PROTOCOL.md of the graphql-ws package, word by word, and its client.
import assert from 'node:assert/strict';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { BOARD, CREDENTIAL, LIVE_BOARD, SIGN_UP, SOCKET, isBoard, newcomer } from '../server.mjs';
import { Wire } from '../wire.mjs';

/** Runs a check on a connection that is acknowledged, and closes it. */
const acknowledged = (check) => async () => {
  const wire = await Wire.acknowledged();
  await check(wire);
  wire.close();
};

/** A check that the server closes with a code. */
const closes = (code, provoke) => async () => {
  const wire = await provoke();
  assert.equal(await wire.closed, code);
};

const malformed = (data) =>
  closes(4400, async () => {
    const wire = await Wire.acknowledged();
    wire.sayRaw(data);
    return wire;
  });

const withClient = (check) => async () => {
  const connectionParams = { authorization: CREDENTIAL };
  const client = createClient({ url: SOCKET, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 });
  await check(client);
  await client.dispose();
};

const protocol = [
  ['no subprotocol is closed with 4406', closes(4406, () => Wire.open([]))],
  ['the subprotocol of the past is closed with 4406', closes(4406, () => Wire.open(['graphql-ws']))],
  ['what is not JSON is closed with 4400', malformed('hello')],
  ['a list is closed with 4400', malformed('[]')],
  ['a message without a type is closed with 4400', malformed('{"id":"1"}')],
  ['a message of the past is closed with 4400', malformed('{"type":"start","id":"1","payload":{"query":"{ a }"}}')],
  ['a subscription without an id is closed with 4400', malformed('{"type":"subscribe","payload":{"query":"{ a }"}}')],
  ['a subscription without a document is closed with 4400', malformed('{"type":"subscribe","id":"1","payload":{}}')],
  ['a document that is a number is closed with 4400', malformed('{"type":"subscribe","id":"1","payload":{"query":1}}')],
  ['a binary message is closed with 4400', malformed(Buffer.from('{"type":"ping"}'))],
  [
    'an operation before the acknowledgement is closed with 4401',
    closes(4401, async () => {
      const wire = await Wire.open();
      wire.subscribe('1', BOARD);
      return wire;
    }),
  ],
  [
    'a credential that is not good is closed with 4403',
    closes(4403, async () => {
      const wire = await Wire.open();
      wire.say({ type: 'connection_init', payload: { authorization: 'Bearer nobody-s' } });
      return wire;
    }),
  ],
  ['who does not introduce itself is closed with 4408', closes(4408, () => Wire.open())],
  [
    'an id in use is closed with 4409',
    closes(4409, async () => {
      const wire = await Wire.acknowledged();
      wire.subscribe('1', LIVE_BOARD);
      wire.subscribe('1', LIVE_BOARD);
      return wire;
    }),
  ],
  [
    'a second introduction is closed with 4429',
    closes(4429, async () => {
      const wire = await Wire.acknowledged();
      wire.say({ type: 'connection_init' });
      return wire;
    }),
  ],
  [
    'pings are answered before the introduction',
    async () => {
      const wire = await Wire.open();
      wire.say({ type: 'ping' });
      assert.deepEqual(await wire.hear(), { type: 'pong' });
      wire.close();
    },
  ],
  [
    'a ping is answered with its payload, and a pong with nothing',
    acknowledged(async (wire) => {
      wire.say({ type: 'pong' });
      wire.say({ type: 'ping', payload: { at: 7 } });
      assert.deepEqual(await wire.hear(), { type: 'pong', payload: { at: 7 } });
    }),
  ],
  [
    'a query is one result and the end',
    acknowledged(async (wire) => {
      wire.subscribe('q', BOARD);
      isBoard(await wire.result('q'));
    }),
  ],
  [
    'a mutation is one result and the end',
    acknowledged(async (wire) => {
      wire.subscribe('m', SIGN_UP, { variables: { externalId: newcomer() } });
      assert.deepEqual(await wire.result('m'), { data: { signUp: { created: true, userErrors: [] } } });
    }),
  ],
  [
    'a subscription says the current value and ends when it is told to',
    acknowledged(async (wire) => {
      wire.subscribe('s', LIVE_BOARD);
      const { type, id, payload } = await wire.hear();
      assert.deepEqual([type, id, payload.data.leaderboard.entries.length], ['next', 's', 3]);
      wire.say({ id: 's', type: 'complete' });
      wire.subscribe('s', BOARD);
      let message;
      do {
        message = await wire.hear();
      } while (message.payload?.data?.leaderboard.entries);
      isBoard(message.payload);
    }),
  ],
  ...['{', '{ nothing }', 'subscription { nothing }', 'query($n: Int!) { leaderboard(first: $n) { nodes { rank } } }'].map(
    (query) => [
      `an error ends one operation and leaves the socket open: ${query}`,
      acknowledged(async (wire) => {
        wire.subscribe('e', query);
        const { type, id, payload } = await wire.hear();
        assert.deepEqual([type, id], ['error', 'e']);
        assert.equal(typeof payload[0].message, 'string');
        wire.subscribe('e', BOARD);
        isBoard(await wire.result('e'));
      }),
    ],
  ),
  [
    'an end of something unknown is no mistake',
    acknowledged(async (wire) => {
      wire.say({ id: 'never', type: 'complete' });
      wire.subscribe('q', BOARD);
      isBoard(await wire.result('q'));
    }),
  ],
  [
    'several operations run at once and are told apart',
    acknowledged(async (wire) => {
      const ids = Array.from({ length: 20 }, (_, place) => `op-${place}`);
      ids.forEach((id) => wire.subscribe(id, BOARD));
      const left = new Map(ids.map((id) => [id, ['next', 'complete']]));
      while (left.size > 0) {
        const { id, type } = await wire.hear();
        assert.equal(left.get(id)?.shift(), type);
        if (type === 'complete') left.delete(id);
      }
    }),
  ],
];

const client = [
  [
    'graphql-ws: a query',
    withClient(async (client) => {
      for await (const result of client.iterate({ query: BOARD })) isBoard(result);
    }),
  ],
  [
    'graphql-ws: a subscription, given up after its first result',
    withClient(async (client) => {
      for await (const { data } of client.iterate({ query: LIVE_BOARD })) {
        assert.equal(data.leaderboard.entries.length, 3);
        break;
      }
    }),
  ],
  [
    'graphql-ws: what is refused is an error',
    withClient(async (client) => {
      const refused = client.iterate({ query: '{ nothing }' }).next();
      await assert.rejects(refused, ([error]) => error.extensions.code === 'BAD_USER_INPUT');
    }),
  ],
];

export const checks = [...protocol, ...client];
