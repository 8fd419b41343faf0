// One door for both transports: queries and mutations by HTTP, subscriptions by WebSocket.
import { createGraphiQLFetcher, type Fetcher, type FetcherOpts } from '@graphiql/toolkit';
import { createClient, type Client } from 'graphql-ws';

/** The name under which GraphiQL asks for the schema. */
const SCHEMA_QUERY = 'IntrospectionQuery';

/** A fetcher for the GraphQL endpoint at `path` of this host; `first` are the headers that the page starts with. */
export function fetcherFor(path: string, first: Record<string, string>): Fetcher {
  const url = new URL(path, window.location.href).href;
  return (parameters, given) => {
    // GraphiQL asks for the schema before its headers editor is there, so that request comes without any headers.
    const early = parameters.operationName === SCHEMA_QUERY && !given?.headers;
    const options = early ? { ...given, headers: first } : given;
    return createGraphiQLFetcher({
      url,
      // The server speaks neither @defer nor @stream, and without them it may answer with the GraphQL media type.
      enableIncrementalDelivery: false,
      // One client a run: a socket is authorised once, so another key in the headers editor needs another socket. It
      // connects when it is first used, hence never for a query, and closes with its subscription.
      wsClient: socketFor(url, options),
    })(parameters, options);
  };
}

function socketFor(url: string, options: FetcherOpts | undefined): Client {
  const authorization = authorizationIn(options?.headers);
  return createClient({
    // http: becomes ws:, https: becomes wss:.
    url: url.replace(/^http/, 'ws'),
    connectionParams: authorization === undefined ? {} : { authorization },
  });
}

/** The Authorization header, whatever the case it was typed in. */
function authorizationIn(headers: Record<string, unknown> | null | undefined): string | undefined {
  const found = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization');
  return typeof found?.[1] === 'string' ? found[1] : undefined;
}
