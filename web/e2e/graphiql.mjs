// Walks through the GraphiQL page of a running server as a person would, in a real browser that can reach that server
// and nothing else: a query, a mutation and a subscription run, the key stays where it belongs, nothing is complained
// about. The server must have been started with --demo.
//
//   BANYAN_URL        the server, http://127.0.0.1:8080 unless told
//   BANYAN_KEY        an admin or server key
//   BANYAN_SHOTS      a directory for screenshots; none are taken unless told
//   CHROMIUM          the browser, /usr/bin/chromium unless told
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { buildClientSchema, getIntrospectionQuery, parse, validate } from 'graphql';
import { KEY, SERVER, SETTLE_MS, editorText, expectRefusals, inBrowser, openTab, run, setEditor, shot, step } from './page.mjs';

/** Unlike every other run's, so that this one can run again on the same database. */
const person = `e2e-${Date.now()}`;

await checkOperations();
await inBrowser(walk);
console.log('GraphiQL: query, mutation and subscription ran; no other host, no complaint, no key left behind');

async function walk(opened) {
  const page = await opened({ colorScheme: 'dark' });
  await page.goto(`${SERVER}/graphiql#key=${encodeURIComponent(KEY)}`);
  await step('the key moves from the address to the headers of every tab', page, async () => {
    await page.locator('.graphiql-tab-button').first().waitFor();
    assert.equal(page.url(), `${SERVER}/graphiql`);
    for (const tab of ['Network', 'SignUp', 'LiveLeaderboard', 'Leaderboard']) {
      await openTab(page, tab);
      assert.deepEqual(JSON.parse(await editorText(page, 'request-headers')), { Authorization: `Bearer ${KEY}` });
    }
  });

  await step('the key is there for the very first request, the schema', page, async () => {
    await page.getByRole('button', { name: /GraphiQL Explorer/ }).click();
    await page.locator('.graphiql-explorer-root').waitFor();
    await page.getByRole('button', { name: /GraphiQL Explorer/ }).click();
  });

  await step('the first tab answers as it is', page, async () => {
    const { data, errors } = await run(page, ({ data }) => data?.user);
    assert.equal(errors, undefined);
    assert.ok(data.leaderboard.nodes.length > 0, 'the board has entries');
    assert.ok(data.user.id, 'the person is known');
    await shot(page, 'query-dark');
  });

  await step('a link with an operation opens it in a tab of its own, after a reload without the key', page, async () => {
    const query = 'query Linked {\n  __typename\n}';
    expectRefusals(true);
    await page.goto(`${SERVER}/graphiql?query=${encodeURIComponent(query)}`);
    await page.locator('.graphiql-tab-button', { hasText: /^Linked$/ }).waitFor();
    assert.equal(await editorText(page, 'operation'), query);
    assert.equal(await editorText(page, 'request-headers'), '', 'the key lives in memory only');
  });

  await step('a link with a key works in a tab that is open already', page, async () => {
    await page.evaluate((key) => (window.location.hash = `key=${encodeURIComponent(key)}`), KEY);
    await page.waitForFunction(() => window.location.hash === '' && document.querySelector('.graphiql-tab-button'));
    expectRefusals(false);
    await openTab(page, 'SignUp');
    assert.ok((await editorText(page, 'request-headers')).includes(KEY));
  });

  await step('somebody signs up', page, async () => {
    await setEditor(page, 'variables', JSON.stringify({ externalId: person, displayName: 'Edith' }, null, 2));
    const { data, errors } = await run(page, ({ data }) => data?.signUp, 'SignUp');
    assert.equal(errors, undefined);
    assert.equal(data.signUp.created, true);
    assert.equal(data.signUp.user.displayName, 'Edith');
    await shot(page, 'mutation');
  });

  await step('a subscription says the current value at once', page, async () => {
    await openTab(page, 'LiveLeaderboard');
    const { data, errors } = await run(page, ({ data }) => data?.leaderboard, 'LiveLeaderboard');
    assert.equal(errors, undefined);
    assert.ok(data.leaderboard.version >= 0);
    assert.ok(data.leaderboard.entries.length > 0);
    await page.getByRole('button', { name: /^Stop/ }).waitFor();
    await shot(page, 'subscription');
    await page.getByRole('button', { name: /^Stop/ }).click();
  });

  await step('explorer, documentation and history open, and the light theme is there', page, async () => {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByRole('button', { name: /GraphiQL Explorer/ }).click();
    await page.locator('.graphiql-explorer-root').waitFor();
    await shot(page, 'explorer-light');
    await page.getByRole('button', { name: /Documentation Explorer/ }).click();
    await page.locator('.graphiql-doc-explorer').waitFor();
    await page.locator('.graphiql-doc-explorer-content', { hasText: 'Mutation' }).waitFor();
    await shot(page, 'docs-light');
    await page.getByRole('button', { name: /History/ }).click();
    await page.locator('.graphiql-history').waitFor();
  });

  await step('nothing keeps the key', page, async () => {
    await page.waitForTimeout(SETTLE_MS);
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    assert.ok(kept.includes('signUp'), 'the history is kept');
    assert.ok(!kept.includes(KEY), 'the key is not');
    await page.locator('.graphiql-history-item-label', { hasText: 'SignUp' }).first().click();
    assert.ok((await editorText(page, 'request-headers')).includes(KEY), 'a step back in history leaves the headers');
  });
}

/** Every default operation is valid against the schema of the server. */
async function checkOperations() {
  const response = await fetch(`${SERVER}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ query: getIntrospectionQuery({ oneOf: true, inputValueDeprecation: true }) }),
  });
  const { data, errors } = await response.json();
  assert.ok(data, `introspection: ${JSON.stringify(errors)}`);
  const schema = buildClientSchema(data);
  const directory = new URL('../src/graphiql/operations/', import.meta.url);
  for (const file of (await readdir(directory)).filter((name) => name.endsWith('.graphql'))) {
    const problems = validate(schema, parse(await readFile(new URL(file, directory), 'utf8')));
    assert.deepEqual(problems.map(String), [], file);
  }
}
