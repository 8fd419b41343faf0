// The clients that most people use, as they come out of the box: Apollo Client and urql.
import assert from 'node:assert/strict';
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { Client, fetchExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { BOARD, CREDENTIAL, ENDPOINT, LIVE_BOARD, SIGN_UP, SOCKET, isBoard, newcomer, sha256 } from '../server.mjs';

const headers = { authorization: CREDENTIAL };

/** Apollo Client over HTTP, with what it sent. */
function apollo(before) {
  const sent = [];
  const listening = (uri, options) => {
    sent.push({ uri: String(uri), method: options.method, body: options.body && JSON.parse(options.body) });
    return fetch(uri, options);
  };
  const http = new HttpLink({ uri: ENDPOINT, headers, fetch: listening });
  const client = new ApolloClient({ link: before ? before.concat(http) : http, cache: new InMemoryCache() });
  return { client, sent };
}

function urql(options = {}) {
  const fetchOptions = { headers };
  return new Client({ url: ENDPOINT, exchanges: [fetchExchange], fetchOptions, preferGetMethod: false, ...options });
}

/** A document that the server has not met. */
function fresh() {
  return gql(`query Fresh${newcomer().replaceAll('-', '')} ${BOARD}`);
}

const ofApollo = [
  ['a query', async () => isBoard({ ...(await apollo().client.query({ query: gql(BOARD) })), errors: undefined })],
  [
    'a mutation',
    async () => {
      const asked = { mutation: gql(SIGN_UP), variables: { externalId: newcomer() } };
      const { data } = await apollo().client.mutate(asked);
      assert.equal(data.signUp.created, true);
    },
  ],
  [
    'a query that is not valid is errors of GraphQL, not of the network',
    async () => {
      const asked = apollo().client.query({ query: gql('{ nothing }') });
      await assert.rejects(asked, (error) => CombinedGraphQLErrors.is(error));
    },
  ],
  [
    'a persisted query is sent once and named from then on',
    async () => {
      const { client, sent } = apollo(new PersistedQueryLink({ sha256 }));
      const query = fresh();
      for (let times = 0; times < 2; times += 1) {
        const { data } = await client.query({ query, fetchPolicy: 'network-only' });
        assert.equal(data.leaderboard.nodes.length, 3);
      }
      assert.deepEqual(
        sent.map(({ body }) => 'query' in body),
        [false, true, false],
      );
    },
  ],
  [
    'a persisted query by GET',
    async () => {
      const { client, sent } = apollo(new PersistedQueryLink({ sha256, useGETForHashedQueries: true }));
      const { data } = await client.query({ query: fresh() });
      assert.equal(data.leaderboard.nodes.length, 3);
      assert.deepEqual(
        sent.map(({ method }) => method),
        ['GET', 'POST'],
      );
    },
  ],
  [
    'a subscription over WebSocket',
    async () => {
      const socket = createClient({ url: SOCKET, webSocketImpl: WebSocket, connectionParams: headers });
      const client = new ApolloClient({ link: new GraphQLWsLink(socket), cache: new InMemoryCache() });
      const { data } = await new Promise((next, error) => {
        client.subscribe({ query: gql(LIVE_BOARD) }).subscribe({ next, error });
      });
      assert.equal(data.leaderboard.entries.length, 3);
      client.stop();
      await socket.dispose();
    },
  ],
];

const ofUrql = [
  ['a query', async () => isBoard(plain(await urql().query(BOARD, {}).toPromise()))],
  ['a query by GET', async () => isBoard(plain(await urql({ preferGetMethod: 'force' }).query(BOARD, {}).toPromise()))],
  [
    'a mutation',
    async () => {
      const { data, error } = await urql().mutation(SIGN_UP, { externalId: newcomer() }).toPromise();
      assert.deepEqual([error, data?.signUp.created], [undefined, true]);
    },
  ],
  [
    'a query that is not valid is errors of GraphQL, not of the network',
    async () => {
      const { error } = await urql().query('{ nothing }', {}).toPromise();
      assert.equal(error.networkError, undefined);
      assert.equal(error.graphQLErrors[0].extensions.code, 'BAD_USER_INPUT');
    },
  ],
  [
    'a subscription as server-sent events',
    async () => {
      const { data, error } = await new Promise((resolve) => {
        const watching = urql({ fetchSubscriptions: true })
          .subscription(LIVE_BOARD, {})
          .subscribe((result) => {
            setTimeout(() => watching.unsubscribe());
            resolve(result);
          });
      });
      assert.equal(error, undefined);
      assert.equal(data.leaderboard.entries.length, 3);
    },
  ],
  [
    'a query comes whole, although events are offered as well',
    async () => {
      const types = [];
      const listening = async (url, options) => {
        const response = await fetch(url, options);
        types.push([options.headers.accept.includes('text/event-stream'), response.headers.get('content-type')]);
        return response;
      };
      isBoard(plain(await urql({ fetch: listening }).query(BOARD, {}).toPromise()));
      assert.deepEqual(types, [[true, 'application/graphql-response+json; charset=utf-8']]);
    },
  ],
];

/** A result of urql in the words of GraphQL. */
function plain({ data, error }) {
  assert.equal(error, undefined);
  return { data };
}

export const checks = [
  ...ofApollo.map(([what, check]) => [`Apollo Client: ${what}`, check]),
  ...ofUrql.map(([what, check]) => [`urql: ${what}`, check]),
];
