// GraphiQL keeps the headers of every operation that was run in its history, in the browser's storage, whatever
// shouldPersistHeaders says. Headers hold keys, so this storage leaves them out on the way in and puts the present ones
// back on the way out: a step back in history must not empty the headers editor either.
import type { Storage as GraphiQLStorage } from '@graphiql/toolkit';

const HISTORY = new Set(['graphiql:queries', 'graphiql:favorites']);
const TABS = 'graphiql:tabState';

/** The browser's local storage, without any headers in it. */
export function storageWithoutHeaders(headers: string | undefined): GraphiQLStorage {
  return {
    get length() {
      return localStorage.length;
    },
    clear: () => localStorage.clear(),
    removeItem: (name: string) => localStorage.removeItem(name),
    getItem: (name: string) => {
      const text = localStorage.getItem(name);
      return text !== null && HISTORY.has(name) ? withHeaders(text, headers ?? null) : text;
    },
    setItem: (name: string, text: string) =>
      localStorage.setItem(name, name === TABS || HISTORY.has(name) ? withHeaders(text, null) : text),
  };
}

/** Sets every `headers` entry of a JSON text; other text is nobody's record of headers and stays as it is. */
function withHeaders(text: string, headers: string | null): string {
  try {
    return JSON.stringify(JSON.parse(text, (name, value: unknown) => (name === 'headers' ? headers : value)));
  } catch {
    return text;
  }
}
