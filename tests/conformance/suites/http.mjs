// GraphQL over HTTP: every audit of the graphql-http package, those that are only recommended included.
import assert from 'node:assert/strict';
import { serverAudits } from 'graphql-http';
import { CREDENTIAL, ENDPOINT } from '../server.mjs';

const audits = serverAudits({ url: ENDPOINT, fetchFn: withKey });

export const checks = audits.map(({ id, name, fn }) => [
  `${id} ${name}`,
  async () => {
    const { status, reason, response } = await fn();
    assert.equal(status, 'ok', `${reason}\n${response?.status} ${await response?.text().catch(() => '')}`);
  },
]);

/** Some audits ask about the schema, which is for holders of keys. */
function withKey(url, options) {
  return fetch(url, { ...options, headers: { ...options?.headers, authorization: CREDENTIAL } });
}
