// The story of a program, told in GraphiQL as an operator would: a rule of 10, 5 and 2 % for the chain above, five people
// in a chain, a purchase, three commissions that say how they came about, half of it refunded, and the halves.
//
// Takes the same variables as graphiql.mjs.
import assert from 'node:assert/strict';
import { KEY, PATIENCE_MS, SERVER, inBrowser, openTab, run, setEditor, shot, step } from './page.mjs';

/** Unlike every other run's, so that this one can run again on the same database. */
const tale = `tale-${Date.now()}`;
const NAMES = ['ann', 'ben', 'cleo', 'dan', 'eve'];
const RATES = ['10', '5', '2'];

const CREATE_PROGRAM = `mutation CreateProgram($input: CreateProgramInput!) {
  createProgram(input: $input) {
    program { id key status rules { key levels { level pay { percent } } } }
    warnings { message }
    userErrors { message field }
  }
}`;

const SIGN_UP = `mutation SignUp($externalId: String!, $code: String) {
  signUp(input: { externalId: $externalId, code: $code }) {
    created
    user { id }
    attribution { outcome referral { referrer { externalId } } }
    userErrors { message }
  }
}`;

const CREATE_CODE = `mutation CreateCode($userId: ID!, $programId: ID!) {
  createReferralCode(input: { userId: $userId, programId: $programId }) {
    code { code }
    userErrors { message }
  }
}`;

const PURCHASE = `mutation Purchase($externalId: String!, $key: String!) {
  recordEvent(input: {
    externalId: $externalId, type: "purchase", idempotencyKey: $key,
    amount: { amount: "200.00", currencyCode: "USD" }
  }) {
    created
    userErrors { message }
  }
}`;

const REFUND = `mutation RefundHalf($eventKey: String!, $key: String!) {
  recordRefund(input: {
    eventKey: $eventKey, idempotencyKey: $key, amount: { amount: "100.00", currencyCode: "USD" }
  }) {
    created
    userErrors { message }
  }
}`;

const COMMISSIONS = `query Commissions {
${NAMES.map((name) => `  ${name}: user(by: { externalId: "${tale}-${name}" }) { ...Earned }`).join('\n')}
}

fragment Earned on User {
  balances { currencyCode available }
  rewards { nodes { level amount { amount } net { amount } status explanation } }
}`;

await inBrowser(walk);
console.log('GraphiQL: a program, a chain of five, a purchase, three commissions, a refund and the halves');

async function walk(opened) {
  const page = await opened({ colorScheme: 'light' });
  const ask = (name, text, variables, expected) => inTheEditor(page, { name, text, variables, expected });
  let program;
  const codes = [];

  await step('an operator opens GraphiQL with a key', page, async () => {
    await page.goto(`${SERVER}/graphiql#key=${encodeURIComponent(KEY)}`);
    await page.locator('.graphiql-tab-button').first().waitFor();
    await openTab(page, 'SignUp');
  });

  await step('a program pays the chain above 10, 5 and 2 % of every purchase', page, async () => {
    const levels = RATES.map((percent, above) => ({ level: above + 1, pay: { percent } }));
    const rule = { key: 'commission', on: { event: 'purchase', every: true }, to: 'UPLINE', levels };
    const input = { key: tale, name: 'Partners', currencyCode: 'USD', activate: true, rules: [rule] };
    const { createProgram } = await ask('CreateProgram', CREATE_PROGRAM, { input }, 'createProgram');
    assert.deepEqual(createProgram.userErrors, []);
    assert.equal(createProgram.program.status, 'ACTIVE');
    assert.deepEqual(
      createProgram.program.rules[0].levels.map(({ pay }) => pay.percent),
      RATES,
    );
    program = createProgram.program.id;
    await shot(page, 'story-1-program');
  });

  await step('five people sign up, each brought in by the one before', page, async () => {
    for (const [place, name] of NAMES.entries()) {
      const variables = { externalId: `${tale}-${name}`, code: codes.at(-1) ?? null };
      const { signUp } = await ask('SignUp', SIGN_UP, variables, 'signUp');
      assert.deepEqual([signUp.created, signUp.userErrors], [true, []]);
      const referrer = signUp.attribution.referral?.referrer.externalId;
      assert.equal(referrer, place > 0 ? `${tale}-${NAMES[place - 1]}` : undefined);
      const asked = { userId: signUp.user.id, programId: program };
      const { createReferralCode } = await ask('CreateCode', CREATE_CODE, asked, 'createReferralCode');
      codes.push(createReferralCode.code.code);
    }
    await shot(page, 'story-2-chain');
  });

  await step('the last of them buys something for 200.00', page, async () => {
    const variables = { externalId: `${tale}-eve`, key: `${tale}-order` };
    const { recordEvent } = await ask('Purchase', PURCHASE, variables, 'recordEvent');
    assert.deepEqual(recordEvent, { created: true, userErrors: [] });
  });

  await step('three commissions say how they came about', page, async () => {
    await commissionsAre(page, ['20.00', '10.00', '4.00']);
    await shot(page, 'story-3-commissions');
  });

  await step('half of it is refunded, and the halves are left', page, async () => {
    const variables = { eventKey: `${tale}-order`, key: `${tale}-half` };
    const { recordRefund } = await ask('RefundHalf', REFUND, variables, 'recordRefund');
    assert.deepEqual(recordRefund, { created: true, userErrors: [] });
    await commissionsAre(page, ['10.00', '5.00', '2.00']);
    await shot(page, 'story-4-halves');
  });
}

/** Asks until the worker has folded: the chain above eve has exactly this, and nobody else has anything. */
async function commissionsAre(page, nets) {
  const above = ['dan', 'cleo', 'ben'];
  const granted = ['20.00', '10.00', '4.00'];
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const request = { name: 'Commissions', text: COMMISSIONS, variables: {}, expected: 'eve' };
    const people = await inTheEditor(page, request);
    const seen = above.map((name) => people[name].rewards.nodes[0]?.net.amount);
    if (seen.every((net, place) => net === nets[place])) {
      above.forEach((name, place) => {
        const { rewards, balances } = people[name];
        assert.equal(rewards.nodes.length, 1);
        const [{ level, amount, status, explanation }] = rewards.nodes;
        assert.deepEqual([level, amount.amount, status], [place + 1, granted[place], 'AVAILABLE']);
        assert.match(explanation, new RegExp(`${RATES[place]} % of 200\\.00 USD`));
        assert.deepEqual(balances, [{ currencyCode: 'USD', available: nets[place] }]);
      });
      assert.deepEqual([people.ann.rewards.nodes, people.eve.rewards.nodes], [[], []]);
      return;
    }
    assert.ok(Date.now() < deadline, `the commissions are ${seen}, not ${nets}`);
  }
}

/** Writes an operation over the one that the tab holds, runs it, and gives its data, which must answer `expected`. */
async function inTheEditor(page, { name, text, variables, expected }) {
  await setEditor(page, 'response', '');
  await setEditor(page, 'operation', text);
  await setEditor(page, 'variables', JSON.stringify(variables, null, 2));
  const { data, errors } = await run(page, ({ data }) => data?.[expected], undefined);
  assert.equal(errors, undefined, `${name}: ${JSON.stringify(errors)}`);
  return data;
}
