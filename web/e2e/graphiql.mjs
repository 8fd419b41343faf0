// Walks through the GraphiQL page of a running server as a person would, in a real browser that can reach that server
// and nothing else: a query, a mutation and a subscription run, the key stays where it belongs, nothing is complained
// about. The server must have been started with --demo.
//
//   BANYAN_URL        the server, http://127.0.0.1:8080 unless told
//   BANYAN_KEY        an admin or server key
//   BANYAN_SHOTS      a directory for screenshots; none are taken unless told
//   CHROMIUM          the browser, /usr/bin/chromium unless told
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildClientSchema, getIntrospectionQuery, parse, validate } from 'graphql';
import { chromium } from 'playwright-core';

const SERVER = process.env.BANYAN_URL ?? 'http://127.0.0.1:8080';
const KEY = process.env.BANYAN_KEY ?? '';
const SHOTS = process.env.BANYAN_SHOTS;

/** GraphiQL learns of an edit with a delay; running sooner sends the previous operation. */
const SETTLE_MS = 700;
/** For whatever is awaited: a busy machine may be slow, and nothing here measures speed. */
const PATIENCE_MS = 30_000;

const complaints = [];
const outside = [];
/** Without a key the server may refuse to show its schema, which the browser reports as a failed request. */
let refusalsExpected = false;
/** Unlike every other run's, so that this one can run again on the same database. */
const person = `e2e-${Date.now()}`;

assert.ok(KEY, 'BANYAN_KEY is not set');
await checkOperations();

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  await walk();
} finally {
  await browser.close();
}
assert.deepEqual(outside, [], 'the page reached for another host');
assert.deepEqual(complaints, [], 'the console is clean');
console.log('GraphiQL: query, mutation and subscription ran; no other host, no complaint, no key left behind');

async function walk() {
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
    refusalsExpected = true;
    await page.goto(`${SERVER}/graphiql?query=${encodeURIComponent(query)}`);
    await page.locator('.graphiql-tab-button', { hasText: /^Linked$/ }).waitFor();
    assert.equal(await editorText(page, 'operation'), query);
    assert.equal(await editorText(page, 'request-headers'), '', 'the key lives in memory only');
  });

  await step('a link with a key works in a tab that is open already', page, async () => {
    await page.evaluate((key) => (window.location.hash = `key=${encodeURIComponent(key)}`), KEY);
    await page.waitForFunction(() => window.location.hash === '' && document.querySelector('.graphiql-tab-button'));
    refusalsExpected = false;
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

/** A page that reaches the server and nothing else, and whose complaints are collected. */
async function opened(options) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const { host } = new URL(SERVER);
  await context.route(
    (url) => ['http:', 'https:'].includes(url.protocol) && url.host !== host,
    (route) => {
      outside.push(route.request().url());
      return route.abort();
    },
  );
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('console', (message) => {
    const refused = refusalsExpected && /the server responded with a status of 4\d\d/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !refused) {
      complaints.push(`${message.type()}: ${message.text()} ${message.location().url}`);
    }
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.stack}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  return page;
}

async function openTab(page, name) {
  // The tabs stand before the editors do, and a click then would change the tab alone.
  for (const editor of ['operation', 'variables', 'request-headers', 'response']) {
    await model(page, editor);
  }
  await page.locator('.graphiql-tab-button', { hasText: new RegExp(`^${name}$`) }).click();
  await page.waitForTimeout(SETTLE_MS);
}

/** Runs what the editor shows, by the button and its menu of operations, until the response is as expected. */
async function run(page, expected, operation) {
  await page.waitForTimeout(SETTLE_MS);
  if (operation === undefined) {
    await page.locator('.graphiql-execute-button').click();
  } else {
    await page.locator('.graphiql-execute-button[aria-haspopup=menu]').click();
    await page.getByRole('menuitem', { name: operation }).click();
  }
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const text = await editorText(page, 'response');
    const answer = parsed(text);
    if (answer && (expected(answer) || answer.errors)) {
      return answer;
    }
    assert.ok(Date.now() < deadline, `no answer: ${text}`);
    await page.waitForTimeout(100);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The text of an editor, which the page itself shows only as far as it is in view. */
async function editorText(page, name) {
  return (await model(page, name)).evaluate((found) => found.getValue());
}

async function setEditor(page, name, text) {
  await (await model(page, name)).evaluate((found, value) => found.setValue(value), text);
}

/** What Monaco, which GraphiQL keeps by that name, holds for one editor, once it is there. */
async function model(page, name) {
  return page.waitForFunction(
    (part) => window.__MONACO?.editor.getModels().find(({ uri }) => uri.path.includes(part)),
    name,
  );
}

async function step(story, page, act) {
  console.log(`- ${story}`);
  try {
    await act();
  } catch (error) {
    await shot(page, 'failure');
    throw error;
  }
}

async function shot(page, name) {
  if (SHOTS) {
    await mkdir(SHOTS, { recursive: true });
    await page.screenshot({ path: join(SHOTS, `${name}.png`) });
  }
}
