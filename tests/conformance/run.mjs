// Lets audits and clients of others loose on a running server, which must have been started with --demo.
//
//   BANYAN_URL        the server, http://127.0.0.1:8080 unless told
//   BANYAN_KEY        an admin or server key
//
// Prints a line for each check and the figures of each suite. Fails when a check fails, and when fewer ran than
// expected.json says, or a suite that it names did not run: what disappeared is what nobody misses. Names after
// `node run.mjs` choose suites.
import { readFile } from 'node:fs/promises';
import { checks as clients } from './suites/clients.mjs';
import { checks as events } from './suites/events.mjs';
import { checks as http } from './suites/http.mjs';
import { checks as persisted } from './suites/persisted.mjs';
import { checks as tools } from './suites/tools.mjs';
import { checks as websocket } from './suites/websocket.mjs';
import { isReady } from './server.mjs';

/** For one check: the longest waits ten seconds for the server to lose patience. */
const PATIENCE_MS = 40_000;
const SUITES = { http, websocket, events, persisted, clients, tools };

const expected = JSON.parse(await readFile(new URL('expected.json', import.meta.url), 'utf8'));
const chosen = process.argv.slice(2);
// Both lists: one that is only here has no figure to be held to, and one that is only there was removed.
const names = chosen.length > 0 ? chosen : [...new Set([...Object.keys(SUITES), ...Object.keys(expected)])];
const unsound = names.filter((name) => !Object.hasOwn(SUITES, name) || !(expected[name] > 0));

await isReady();
let sound = unsound.length === 0;
for (const name of unsound) {
  console.log(`FAILED  ${name}: ${Object.hasOwn(SUITES, name) ? 'not in expected.json' : 'no such suite'}`);
}
for (const name of names.filter((one) => !unsound.includes(one))) {
  const begun = Date.now();
  const passed = await Promise.all(SUITES[name].map(([what, check]) => passes(`${name}: ${what}`, check)));
  const failed = passed.filter((one) => !one).length;
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  console.log(`${name}: ${passed.length - failed} passed, ${failed} failed, ${expected[name]} expected, ${seconds} s`);
  sound &&= failed === 0 && passed.length === expected[name];
}
// Clients may hold connections open; nothing is left to wait for.
process.exit(sound ? 0 : 1);

async function passes(what, check) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took more than ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  });
  try {
    await Promise.race([check(), late]);
    console.log(`ok      ${what}`);
    return true;
  } catch (error) {
    console.log(`FAILED  ${what}\n${error.stack ?? error}`);
    return false;
  } finally {
    clearTimeout(timer);
  }
}
