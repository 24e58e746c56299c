// A client of web sockets, as far as an inspector needs it: Node.js 20 has none.
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export class WebSocketClient {
  onMessage: (text: string) => void = () => {};
  onClose: () => void = () => {};
  readonly #socket: Socket;
  #received: Buffer;
  #parts: Buffer[] = [];

  private constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    this.#received = head;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#read();
    });
    socket.on('close', () => this.onClose());
    socket.on('error', () => socket.destroy());
  }

  static connect(url: string, timeout: number): Promise<WebSocketClient> {
    const { hostname, port, pathname } = new URL(url);
    return new Promise((resolve, reject) => {
      const asking = request({
        hostname,
        port,
        path: pathname,
        timeout,
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
        },
      });
      asking.once('upgrade', (_, socket, head) => {
        socket.setTimeout(0);
        resolve(new WebSocketClient(socket as Socket, head));
      });
      asking.once('response', (response) => {
        response.resume();
        reject(new Error(`HTTP ${response.statusCode}`));
      });
      asking.once('timeout', () => asking.destroy(new Error('no answer')));
      asking.once('error', reject);
      asking.end();
    });
  }

  send(text: string): void {
    this.#write(TEXT, Buffer.from(text));
  }

  close(): void {
    this.#write(CLOSE, Buffer.alloc(0));
    this.#socket.end();
  }

  #write(opcode: number, payload: Buffer): void {
    const { length } = payload;
    const head =
      length < 126
        ? Buffer.from([0x80 | opcode, 0x80 | length])
        : length < 65_536
          ? Buffer.from([0x80 | opcode, 0x80 | 126, length >> 8, length & 255])
          : Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | 127, 0, 0, 0, 0]), uint32(length)]);
    const mask = randomBytes(4);
    const masked = Buffer.from(payload);
    for (let at = 0; at < length; at++) masked[at]! ^= mask[at % 4]!;
    this.#socket.write(Buffer.concat([head, mask, masked]));
  }

  #read(): void {
    for (;;) {
      const data = this.#received;
      if (data.length < 2) return;
      const short = data[1]! & 127;
      const start = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (data.length < start) return;
      const length =
        short === 126 ? data.readUInt16BE(2) : short === 127 ? Number(data.readBigUInt64BE(2)) : short;
      if (data.length < start + length) return;
      const payload = data.subarray(start, start + length);
      this.#received = data.subarray(start + length);
      const opcode = data[0]! & 15;
      if (opcode === PING) this.#write(PONG, payload);
      else if (opcode === CLOSE) this.#socket.end();
      else if (opcode <= 2) {
        this.#parts.push(payload);
        if ((data[0]! & 0x80) === 0) continue;
        const text = Buffer.concat(this.#parts).toString('utf8');
        this.#parts = [];
        this.onMessage(text);
      }
    }
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
