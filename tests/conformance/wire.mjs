// A WebSocket without a client's manners: it says what it is told to, and remembers what it hears.
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { CREDENTIAL, SOCKET } from './server.mjs';

const PROTOCOL = 'graphql-transport-ws';

export class Wire {
  #socket;
  #heard = [];
  #waiting = [];
  /** The code with which the server closes. */
  closed;

  constructor(socket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      this.#heard.push(JSON.parse(data));
      this.#waiting.shift()?.();
    });
    this.closed = new Promise((resolve, reject) => {
      socket.on('close', resolve);
      socket.on('error', reject);
    });
    // Whoever waits for it hears of the error; not everybody does.
    this.closed.catch(() => {});
  }

  /** Opens a connection and says nothing. */
  static async open(protocols = [PROTOCOL]) {
    const wire = new Wire(new WebSocket(SOCKET, protocols));
    await new Promise((resolve, reject) => {
      wire.#socket.once('open', resolve);
      wire.#socket.once('error', reject);
    });
    return wire;
  }

  /** Opens a connection and introduces itself. */
  static async acknowledged() {
    const wire = await Wire.open();
    wire.say({ type: 'connection_init', payload: { authorization: CREDENTIAL } });
    assert.deepEqual(await wire.hear(), { type: 'connection_ack' });
    return wire;
  }

  say(message) {
    this.sayRaw(JSON.stringify(message));
  }

  sayRaw(data) {
    this.#socket.send(data);
  }

  subscribe(id, query, more = {}) {
    this.say({ id, type: 'subscribe', payload: { query, ...more } });
  }

  /** The next message. */
  async hear() {
    while (this.#heard.length === 0) {
      const closed = this.closed.then((code) => assert.fail(`closed with ${code}`));
      await Promise.race([new Promise((resolve) => this.#waiting.push(resolve)), closed]);
    }
    return this.#heard.shift();
  }

  /** The result of an operation that has one, and its end. */
  async result(id) {
    const next = await this.hear();
    assert.deepEqual([next.type, next.id], ['next', id]);
    assert.deepEqual(await this.hear(), { id, type: 'complete' });
    return next.payload;
  }

  close() {
    this.#socket.close();
  }
}
