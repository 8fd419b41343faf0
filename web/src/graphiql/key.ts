// The API key travels in the fragment of the address, which browsers keep to themselves: it is in no request, no log
// and no Referer. The page takes it out of the address at once, and keeps it in memory only.

const PARAMETER = 'key';

/** Takes the key out of the address bar; undefined where there is none. */
export function takeKey(): string | undefined {
  const key = keyIn(window.location.hash);
  if (key !== undefined) {
    window.history.replaceState(null, '', window.location.pathname + window.location.search);
  }
  return key;
}

/** A link with a key, opened in a tab that already shows this page, only changes the fragment: start again with it. */
export function restartOnNewKey(): void {
  window.addEventListener('hashchange', () => {
    if (keyIn(window.location.hash) !== undefined) {
      window.location.reload();
    }
  });
}

/** The headers that carry a key; none without one. */
export function headersFor(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { Authorization: `Bearer ${key}` };
}

function keyIn(hash: string): string | undefined {
  // A plus sign in a key is a plus sign, not a blank as in a form.
  const parameters = new URLSearchParams(hash.slice(1).replaceAll('+', '%2B'));
  return parameters.get(PARAMETER)?.trim() || undefined;
}
