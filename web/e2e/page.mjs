// What every walk through the GraphiQL page needs: a browser that can reach the server and nothing else, the editors of
// the page, and a list of what was complained about.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const SERVER = process.env.BANYAN_URL ?? 'http://127.0.0.1:8080';
export const KEY = process.env.BANYAN_KEY ?? '';
const SHOTS = process.env.BANYAN_SHOTS;

/** GraphiQL learns of an edit with a delay; running sooner sends the previous operation. */
export const SETTLE_MS = 700;
/** For whatever is awaited: a busy machine may be slow, and nothing here measures speed. */
export const PATIENCE_MS = 30_000;

const complaints = [];
const outside = [];
/** Without a key the server may refuse to show its schema, which the browser reports as a failed request. */
let refusalsExpected = false;

export function expectRefusals(expected) {
  refusalsExpected = expected;
}

/** Takes a walk in a browser; fails when the page reached for another host, or when something was complained about. */
export async function inBrowser(walk) {
  assert.ok(KEY, 'BANYAN_KEY is not set');
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
    await walk((options) => opened(browser, options));
  } finally {
    await browser.close();
  }
  assert.deepEqual(outside, [], 'the page reached for another host');
  assert.deepEqual(complaints, [], 'the console is clean');
}

/** A page that reaches the server and nothing else, and whose complaints are collected. */
async function opened(browser, options) {
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

export async function openTab(page, name) {
  // The tabs stand before the editors do, and a click then would change the tab alone.
  for (const editor of ['operation', 'variables', 'request-headers', 'response']) {
    await model(page, editor);
  }
  await page.locator('.graphiql-tab-button', { hasText: new RegExp(`^${name}$`) }).click();
  await page.waitForTimeout(SETTLE_MS);
}

/** Runs what the editor shows, by the button and its menu of operations, until the response is as expected. */
export async function run(page, expected, operation) {
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
export async function editorText(page, name) {
  return (await model(page, name)).evaluate((found) => found.getValue());
}

export async function setEditor(page, name, text) {
  await (await model(page, name)).evaluate((found, value) => found.setValue(value), text);
}

/** What Monaco, which GraphiQL keeps by that name, holds for one editor, once it is there. */
async function model(page, name) {
  return page.waitForFunction(
    (part) => window.__MONACO?.editor.getModels().find(({ uri }) => uri.path.includes(part)),
    name,
  );
}

export async function step(story, page, act) {
  console.log(`- ${story}`);
  try {
    await act();
  } catch (error) {
    await shot(page, 'failure');
    throw error;
  }
}

export async function shot(page, name) {
  if (SHOTS) {
    await mkdir(SHOTS, { recursive: true });
    await page.screenshot({ path: join(SHOTS, `${name}.png`) });
  }
}
