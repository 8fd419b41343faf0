// A link to an operation: ?query= and ?variables= open it in a tab of its own. It is shown, never run, and the link
// never holds a key.
import { ToolbarButton, useGraphiQL } from '@graphiql/react';
import { useState } from 'react';

/** The time for which the button says that it copied, in milliseconds. */
const COPIED_MS = 1500;

/** An operation that a link carried. */
export interface LinkedOperation {
  query: string;
  variables: string | undefined;
}

/** The operation in the address; undefined where there is none. */
export function linkedOperation(): LinkedOperation | undefined {
  const parameters = new URLSearchParams(window.location.search);
  const query = parameters.get('query');
  return query ? { query, variables: parameters.get('variables') ?? undefined } : undefined;
}

/** A toolbar button that copies a link to what the editors show. */
export function CopyLinkButton() {
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const [copied, setCopied] = useState(false);

  async function copy() {
    const query = queryEditor?.getValue() ?? '';
    await navigator.clipboard.writeText(linkTo(query, variableEditor?.getValue() ?? ''));
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  }

  return (
    <ToolbarButton label={copied ? 'Copied' : 'Copy a link to this operation'} onClick={() => void copy()}>
      <svg className="graphiql-toolbar-icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden>
        <path d="M6.5 9.5l3-3M7 4.5l1.2-1.2a3.2 3.2 0 0 1 4.5 4.5L11.5 9M9 11.5l-1.2 1.2a3.2 3.2 0 0 1-4.5-4.5L4.5 7" />
      </svg>
    </ToolbarButton>
  );
}

function linkTo(query: string, variables: string): string {
  const link = new URL(window.location.pathname, window.location.origin);
  link.searchParams.set('query', query);
  if (variables.trim() !== '') {
    link.searchParams.set('variables', variables);
  }
  return link.href;
}
