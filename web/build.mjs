// Builds every page into dist/, which mirrors the addresses that the server answers: dist/graphiql/index.html is
// /graphiql, dist/graphiql/assets/x is /graphiql/assets/x. A further page is one more line in PAGES.
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const PAGES = [{ source: 'src/graphiql/', address: '/graphiql/' }];

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

await rm(path('dist'), { recursive: true, force: true });
for (const { source, address } of PAGES) {
  // One after the other: memory matters more than seconds where a whole server is being compiled beside this.
  await build({
    configFile: false,
    // Warnings are all about "use client" marks inside packages, which mean nothing in a bundle.
    logLevel: 'error',
    root: path(source),
    base: address,
    build: {
      outDir: path(`dist${address}`),
      emptyOutDir: false,
      target: 'es2022',
      // Every asset is a file with a hash in its name: cached for ever, and never a data: address in a style sheet.
      assetsInlineLimit: 0,
      // The editor is one big program; a warning about its size helps nobody.
      chunkSizeWarningLimit: 8192,
    },
  });
}
