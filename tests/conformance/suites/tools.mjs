// Tools that read `schema.graphql` while an application is built: GraphQL Code Generator and Relay's compiler.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema } from 'graphql';
import { isBoard, post } from '../server.mjs';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const SCHEMA = join(HERE, '../../schema.graphql');

/** Every scalar of ours, as JSON has it: one that is missing here fails the generator. */
const SCALARS = { BigInt: 'number', DateTime: 'string', Decimal: 'string', JSON: 'unknown' };

const run = promisify(execFile);

/** Runs a check with a directory of its own, which is gone afterwards. */
const inDirectory = (check) => async () => {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'));
  try {
    await check(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
};

async function generate(directory) {
  const types = join(directory, 'types.ts');
  const plugins = ['typescript', 'typescript-operations'];
  const config = join(directory, 'codegen.json');
  const wanted = { [types]: { plugins, config: { scalars: SCALARS, strictScalars: true } } };
  const documents = join(HERE, 'documents/*.graphql');
  await writeFile(config, JSON.stringify({ schema: SCHEMA, documents, generates: wanted }));
  await run(process.execPath, [join(HERE, 'node_modules/.bin/graphql-codegen'), '--config', config], { cwd: HERE });
  const text = await readFile(types, 'utf8');
  for (const expected of ['export type BoardQuery =', 'export type SignUpMutation =', 'export type LiveBoardSubscription =']) {
    assert.ok(text.includes(expected), `${expected} is not there`);
  }
}

async function compile(directory) {
  await cp(join(HERE, 'relay'), directory, { recursive: true });
  await cp(SCHEMA, join(directory, 'schema.graphql'));
  // The compiler adds to it, and wants it to be there.
  await writeFile(join(directory, 'persisted.json'), '{}');
  const compiler = join(HERE, 'node_modules/relay-compiler/cli.js');
  await run(process.execPath, [compiler, '--noWatchman', 'relay.config.json'], { cwd: directory });
  return JSON.parse(await readFile(join(directory, 'persisted.json'), 'utf8'));
}

export const checks = [
  ['GraphQL Code Generator makes types of the schema and of operations', inDirectory(generate)],
  [
    "Relay's compiler takes the schema, its nodes and its connections, and what it compiled runs",
    inDirectory(async (directory) => {
      const texts = Object.values(await compile(directory));
      assert.equal(texts.length, 3);
      const query = texts.find((text) => text.startsWith('query BoardQuery'));
      isBoard(await (await post({ query, variables: { first: 3 } })).json());
    }),
  ],
  [
    'graphql-js reads the same schema from the file and from the server',
    async () => {
      const options = { inputValueDeprecation: true, oneOf: true, specifiedByUrl: true };
      const { data } = await (await post({ query: getIntrospectionQuery(options) })).json();
      const sorted = (schema) => printSchema(lexicographicSortSchema(schema));
      assert.equal(sorted(buildClientSchema(data)), sorted(buildSchema(await readFile(SCHEMA, 'utf8'))));
    },
  ],
];
