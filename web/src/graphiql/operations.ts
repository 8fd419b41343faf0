// The tabs that a first visit opens with. Each document is a file of its own, so that tools read it as GraphQL and
// the browser check can hold it against the schema of a running server.
import type { GraphiQLProps } from 'graphiql';
import leaderboard from './operations/leaderboard.graphql?raw';
import liveVariables from './operations/live.json?raw';
import live from './operations/live.graphql?raw';
import signUpVariables from './operations/signup.json?raw';
import signUp from './operations/signup.graphql?raw';
import treeVariables from './operations/tree.json?raw';
import tree from './operations/tree.graphql?raw';

type TabDefinition = NonNullable<GraphiQLProps['defaultTabs']>[number];

/** The default tabs. The first has no variables: GraphiQL shows those of the first tab only after a switch. */
export function defaultTabs(headers: string | undefined): TabDefinition[] {
  return [
    tab(leaderboard, undefined, headers),
    tab(tree, treeVariables, headers),
    tab(signUp, signUpVariables, headers),
    tab(live, liveVariables, headers),
  ];
}

function tab(query: string, variables: string | undefined, headers: string | undefined): TabDefinition {
  return { query, variables: variables?.trimEnd() ?? null, headers: headers ?? null };
}
