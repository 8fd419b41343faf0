import { defineConfig } from 'eslint/config';
import js from '@eslint/js';

const NODE = ['AbortController', 'Buffer', 'TextDecoder', 'URL', 'clearTimeout', 'console', 'fetch', 'process', 'setTimeout'];

export default defineConfig({ ignores: ['node_modules'] }, {
  files: ['**/*.mjs', 'relay/*.js'],
  extends: [js.configs.recommended],
  languageOptions: { globals: Object.fromEntries(NODE.map((name) => [name, 'readonly'])) },
});
