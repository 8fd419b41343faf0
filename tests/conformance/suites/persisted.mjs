// Documents named by their hash, over every transport, and the cost of a document for who asks.
import assert from 'node:assert/strict';
import { BOARD, LIVE_BOARD, get, isBoard, newcomer, post, sha256 } from '../server.mjs';
import { Wire } from '../wire.mjs';

const NEWER = { accept: 'application/graphql-response+json' };

/** A document that no other check, and no other run, has sent. */
function fresh() {
  return `query Fresh${newcomer().replaceAll('-', '')} ${BOARD}`;
}

function hashed(query) {
  return { persistedQuery: { version: 1, sha256Hash: sha256(query) } };
}

function isNotFound([error]) {
  assert.deepEqual([error.message, error.extensions.code], ['PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND']);
}

async function register(query) {
  isBoard(await (await post({ query, extensions: hashed(query) })).json());
}

export const checks = [
  [
    'a hash that is not known is answered so that clients send the document',
    async () => {
      const response = await post({ extensions: hashed(fresh()) }, NEWER);
      assert.equal(response.status, 400);
      isNotFound((await response.json()).errors);
      const older = await post({ extensions: hashed(fresh()) }, { accept: 'application/json' });
      assert.equal(older.status, 200);
      isNotFound((await older.json()).errors);
    },
  ],
  [
    'by POST',
    async () => {
      const query = fresh();
      await register(query);
      isBoard(await (await post({ extensions: hashed(query) })).json());
    },
  ],
  [
    'by GET',
    async () => {
      const query = fresh();
      await register(query);
      isBoard(await (await get({ extensions: hashed(query) })).json());
    },
  ],
  [
    'by documentId',
    async () => {
      const query = fresh();
      await register(query);
      isBoard(await (await post({ documentId: `sha256:${sha256(query)}` })).json());
      isBoard(await (await get({ documentId: `sha256:${sha256(query)}` })).json());
    },
  ],
  [
    'as server-sent events',
    async () => {
      const query = fresh();
      await register(query);
      const response = await post({ extensions: hashed(query) }, { accept: 'text/event-stream' });
      assert.match(await response.text(), /^event: next\ndata: \{"data":\{"leaderboard"/);
    },
  ],
  [
    'over WebSocket, where it is learned too',
    async () => {
      const query = LIVE_BOARD.replace('subscription', `subscription Fresh${newcomer().replaceAll('-', '')}`);
      const wire = await Wire.acknowledged();
      wire.say({ id: '1', type: 'subscribe', payload: { extensions: hashed(query) } });
      isNotFound((await wire.hear()).payload);
      for (const [id, payload] of [
        ['2', { query, extensions: hashed(query) }],
        ['3', { extensions: hashed(query) }],
      ]) {
        wire.say({ id, type: 'subscribe', payload });
        let message;
        do {
          message = await wire.hear();
        } while (message.id !== id);
        assert.equal(message.payload.data.leaderboard.entries.length, 3);
      }
      wire.close();
    },
  ],
  [
    'the hash of another document is refused',
    async () => {
      const response = await post({ query: fresh(), extensions: hashed(fresh()) }, NEWER);
      assert.equal(response.status, 400);
      assert.equal((await response.json()).errors[0].extensions.code, 'BAD_USER_INPUT');
    },
  ],
  [
    'another version is refused',
    async () => {
      const query = fresh();
      const extensions = { persistedQuery: { version: 2, sha256Hash: sha256(query) } };
      const response = await post({ query, extensions }, NEWER);
      assert.equal((await response.json()).errors[0].extensions.code, 'BAD_USER_INPUT');
    },
  ],
  [
    'the cost of a document is told to who asks',
    async () => {
      const { extensions } = await (await post({ query: BOARD, extensions: { cost: true } })).json();
      // Three entries, each with its user.
      assert.deepEqual(extensions, { cost: { requested: 6, limit: 5000 } });
      assert.equal((await (await post({ query: BOARD })).json()).extensions, undefined);
    },
  ],
];
