// The GraphiQL page, with everything it needs bundled: editors, workers and fonts come from this server.
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './page.css';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { fetcherFor } from './fetcher';
import { headersFor, restartOnNewKey, takeKey } from './key';
import { CopyLinkButton, linkedOperation } from './link';
import { defaultTabs } from './operations';
import { storageWithoutHeaders } from './storage';
import { FollowSystemTheme } from './theme';

const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];

function start(root: HTMLElement): void {
  const key = takeKey();
  restartOnNewKey();
  const first = headersFor(key);
  const headers = key === undefined ? undefined : JSON.stringify(first, null, 2);
  const linked = linkedOperation();
  const tabs = defaultTabs(headers);

  createRoot(root).render(
    <GraphiQL
      fetcher={fetcherFor(root.dataset['endpoint'] ?? '/graphql', first)}
      plugins={plugins}
      storage={storageWithoutHeaders(headers)}
      shouldPersistHeaders={false}
      defaultHeaders={headers}
      initialHeaders={headers}
      initialQuery={linked?.query}
      initialVariables={linked?.variables}
      defaultTabs={linked ? [{ ...linked, headers: headers ?? null }, ...tabs] : tabs}
      defaultEditorToolsVisibility="variables"
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>Banyan</GraphiQL.Logo>
      <GraphiQL.Toolbar>
        {({ prettify, merge, copy }) => (
          <>
            {prettify}
            {merge}
            {copy}
            <CopyLinkButton />
            <FollowSystemTheme />
          </>
        )}
      </GraphiQL.Toolbar>
    </GraphiQL>,
  );
}

const root = document.getElementById('graphiql');
if (root) {
  start(root);
}
