// Reaches into a running program of Node.js by its inspector, which SIGUSR1 opens.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { get } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { printable } from '../base/text.js';
import { Failure } from './profile-file.js';
import { WebSocketClient } from './web-socket.js';

const OPENS_MS = 20_000;
/** A busy program takes its time; then the command ends all the same. */
const CLOSES_MS = 2000;
const ANSWERS_MS = 30_000;
const USUAL_PORT = 9229;
const SIGUSR1 = 10;

interface Answer {
  id?: number;
  error?: { message: string };
  result?: {
    result?: { value?: unknown };
    exceptionDetails?: { text: string; exception?: { description?: string; value?: unknown } };
  };
}

/** An open inspector of a process. */
export class Inspector {
  readonly #socket: WebSocketClient;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  private constructor(
    socket: WebSocketClient,
    readonly pid: number,
    /** Whether it was open before. */
    readonly wasOpen: boolean,
  ) {
    this.#socket = socket;
    socket.onMessage = (text) => {
      const answer = JSON.parse(text) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    };
    socket.onClose = () => {
      for (const tell of this.#waiting.values()) tell({ error: { message: 'the connection broke off' } });
    };
  }

  /** Opens the inspector of a process, unless it is open. Throws a `Failure` where that is not possible, or not safe. */
  static async open(pid: number): Promise<Inspector> {
    const name = checkProcess(pid);
    const before = await findUrl(pid);
    if (before !== undefined) return Inspector.#connect(before, pid, true);
    checkSignal(pid, name);
    process.kill(pid, 'SIGUSR1');
    for (const until = Date.now() + OPENS_MS; Date.now() < until; ) {
      await sleep(50);
      const url = await findUrl(pid);
      if (url !== undefined) return Inspector.#connect(url, pid, false);
    }
    throw new Failure(
      `process ${pid} did not open its inspector at SIGUSR1: perhaps it handles that signal itself, or the inspector's ` +
        `port (${USUAL_PORT}, or --inspect-port) is taken by another program`,
    );
  }

  static async #connect(url: string, pid: number, wasOpen: boolean): Promise<Inspector> {
    let socket: WebSocketClient;
    try {
      socket = await WebSocketClient.connect(url, ANSWERS_MS);
    } catch (error) {
      throw new Failure(`cannot connect to the inspector of process ${pid}: ${(error as Error).message}`);
    }
    const inspector = new Inspector(socket, pid, wasOpen);
    // Another program may listen on the usual port.
    const itsPid = await inspector.evaluate('process.pid');
    if (itsPid === pid) return inspector;
    socket.close();
    throw new Failure(`the inspector at ${url} is that of process ${itsPid}, and not of ${pid}`);
  }

  /** The value of an expression in the process; `require` is there in programs of any kind. */
  async evaluate(expression: string): Promise<unknown> {
    const id = ++this.#last;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    const params = { expression, awaitPromise: true, returnByValue: true, includeCommandLineAPI: true };
    this.#socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
    const late = new AbortController();
    const answer = await Promise.race([
      answered,
      sleep(ANSWERS_MS, undefined, { signal: late.signal }).then(
        (): Answer => ({
          error: { message: `no answer within ${ANSWERS_MS / 1000} s: its event loop is busy` },
        }),
      ),
    ]).finally(() => late.abort());
    this.#waiting.delete(id);
    const failed = answer.result?.exceptionDetails;
    if (answer.error !== undefined) throw new Failure(answer.error.message);
    if (failed !== undefined) {
      const { description, value } = failed.exception ?? {};
      throw new Failure(printable((description ?? String(value ?? failed.text)).split('\n')[0]!));
    }
    return answer.result?.result?.value;
  }

  /** Leaves the process, and closes its inspector if it was not open before. */
  async close(): Promise<void> {
    if (!this.wasOpen) {
      // After this connection is closed: `close` waits for that.
      // Nothing in there may throw: that would end the program. `require` is only known while this is evaluated.
      await this.evaluate(
        `((inspector) => void setTimeout(() => { try { inspector.close(); } catch {} }, 200))(require('node:inspector'))`,
      ).catch(() => {});
    }
    this.#socket.close();
    if (this.wasOpen) return;
    // A command that follows at once would find it open, and lose it in the middle.
    for (
      const until = Date.now() + CLOSES_MS;
      Date.now() < until && (await findUrl(this.pid)) !== undefined;
    ) {
      await sleep(50);
    }
  }
}

/** The name of the program. Throws a `Failure` if the process is not there, not ours, or does not look like Node.js. */
function checkProcess(pid: number): string {
  try {
    process.kill(pid, 0);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Failure(
      code === 'EPERM'
        ? `process ${pid} belongs to another user: run memprof as that user`
        : `there is no process ${pid}`,
    );
  }
  if (process.platform !== 'linux') return '';
  try {
    const program = path.basename(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ''));
    if (/^node/.test(program)) return program;
    throw new Failure(`process ${pid} is ${printable(program)}, and not Node.js: SIGUSR1 might end it`);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`cannot look at process ${pid}: ${(error as Error).message}`);
  }
}

/** SIGUSR1 ends a process that does not catch it, as Node.js with --disable-sigusr1. */
function checkSignal(pid: number, name: string): void {
  if (process.platform !== 'linux') return;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  if ((caught & (1n << BigInt(SIGUSR1 - 1))) !== 0n) return;
  throw new Failure(
    `process ${pid} (${printable(name)}) does not open its inspector at SIGUSR1, which would end it: it was started with --disable-sigusr1, or is still starting`,
  );
}

async function findUrl(pid: number): Promise<string | undefined> {
  for (const port of portsOf(pid)) {
    const url = await urlAt(port);
    if (url !== undefined) return url;
  }
  return undefined;
}

/** Ports on which the process listens; the usual one where the system does not tell. */
function portsOf(pid: number): number[] {
  if (process.platform !== 'linux') return [USUAL_PORT];
  const sockets = new Set<string>();
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        if (inode !== undefined) sockets.add(inode);
      } catch {} // Closed meanwhile.
    }
  } catch {
    return [USUAL_PORT];
  }
  const ports: number[] = [];
  for (const table of ['tcp', 'tcp6']) {
    let lines: string[] = [];
    try {
      lines = readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n');
    } catch {} // Without IPv6.
    for (const line of lines) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      const LISTENS = '0A';
      if (state === LISTENS && inode !== undefined && sockets.has(inode))
        ports.push(Number.parseInt(local!.split(':')[1]!, 16));
    }
  }
  // The inspector's usual port first: others may be of anything.
  return ports.sort((a, b) => Number(b === USUAL_PORT) - Number(a === USUAL_PORT));
}

function urlAt(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asking = get(
      { host: '127.0.0.1', port, path: '/json/list', timeout: 1000, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (text.length > 100_000) asking.destroy();
        });
        response.on('close', () => {
          try {
            const [target] = JSON.parse(text) as { type?: string; webSocketDebuggerUrl?: string }[];
            resolve(target?.type === 'node' ? target.webSocketDebuggerUrl : undefined);
          } catch {
            resolve(undefined);
          }
        });
      },
    );
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => resolve(undefined));
  });
}
