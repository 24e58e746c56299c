// Processes that were given the same port: the first one holds it, and the others announce themselves by a socket in a private
// directory, so that all are reached at one address (`?pid=N`, `?pid=all`). Used by the thread of `serve()`.
import { lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as ask, createServer, type RequestListener, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeDirectory } from '../base/make-directory.js';
import { LIMITS } from '../profile/limits.js';
import { sendError } from './go-forms.js';

const ANSWERS_MS = 2000;
const PROFILES_MS = 330_000;

/** What a process says of itself, in bytes. */
export interface Member {
  pid: number;
  program: string;
  heap: number;
  external: number;
  rss: number;
}

function isMissing(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** A directory that nobody else can enter, not even one who made it before. Throws otherwise. */
function makePrivate(directory: string): void {
  makeDirectory(directory, 0o700);
  const { uid, mode } = lstatSync(directory);
  const isDirectory = lstatSync(directory).isDirectory();
  if (!isDirectory || uid !== process.getuid?.() || (mode & 0o077) !== 0) {
    throw new Error(`${directory} is not private`);
  }
}

export function socketOf(port: number, pid: number): string {
  return path.join(tmpdir(), `memprof-${process.getuid?.() ?? 0}`, String(port), `${pid}.sock`);
}

export class Family {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Throws where there can be no such directory or socket: then the process is alone. */
  static async join(port: number, listener: RequestListener): Promise<Family> {
    const socket = socketOf(port, process.pid);
    const directory = path.dirname(socket);
    makePrivate(path.dirname(directory));
    makePrivate(directory);
    const family = new Family(directory);
    rmSync(socket, { force: true });
    const server = createServer(listener);
    server.headersTimeout = 10_000;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socket, resolve);
    });
    server.on('error', () => {});
    return family;
  }

  /** Says that this process holds the port. */
  hold(): void {
    try {
      writeFileSync(path.join(this.#directory, 'holder'), String(process.pid), { mode: 0o600 });
    } catch {} // The others then take the port for a stranger's.
  }

  /** The process of the family that holds the port; undefined if a stranger does. */
  holder(): number | undefined {
    try {
      const pid = Number(readFileSync(path.join(this.#directory, 'holder'), 'utf8'));
      return pid === process.pid || isMissing(pid) ? undefined : pid;
    } catch {
      return undefined;
    }
  }

  /** All processes that answer, this one too. */
  async members(): Promise<Member[]> {
    const pids = readdirSync(this.#directory).flatMap((name) => /^(\d+)\.sock$/.exec(name)?.[1] ?? []);
    const found = await Promise.all(
      pids.map(async (text): Promise<Member | undefined> => {
        const pid = Number(text);
        if (isMissing(pid)) {
          rmSync(this.#socket(pid), { force: true });
          return undefined;
        }
        try {
          return JSON.parse(String(await this.#get(pid, 'member', ANSWERS_MS))) as Member;
        } catch {
          return undefined;
        }
      }),
    );
    return found.filter((each) => each !== undefined).sort((a, b) => a.pid - b.pid);
  }

  #socket(pid: number): string {
    return path.join(this.#directory, `${pid}.sock`);
  }

  /** A page of another process, by its name and query. */
  fetch(pid: number, page: string): Promise<Buffer> {
    return this.#get(pid, page, PROFILES_MS);
  }

  #get(pid: number, page: string, timeout: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const asking = ask(
        { socketPath: this.#socket(pid), path: `/debug/pprof/${page}`, timeout },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            size += chunk.length;
            if (size > LIMITS.inputBytes) asking.destroy(new Error('too large'));
          });
          response.on('end', () => {
            const body = Buffer.concat(chunks);
            if (response.statusCode === 200) resolve(body);
            else reject(new Error(`process ${pid}: ${body.toString('utf8').trim()}`));
          });
          response.on('error', reject);
        },
      );
      asking.on('timeout', () => asking.destroy(new Error(`process ${pid} does not answer`)));
      asking.on('error', reject);
      asking.end();
    });
  }

  /** Answers with a page of another process. */
  forward(pid: number, page: string, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const asking = ask(
        { socketPath: this.#socket(pid), path: `/debug/pprof/${page}`, timeout: PROFILES_MS },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
          answer.on('close', resolve);
        },
      );
      response.once('close', () => asking.destroy());
      asking.on('timeout', () => asking.destroy());
      asking.on('error', () => {
        sendError(response, 404, `there is no process ${pid} at this address`);
        resolve();
      });
      asking.end();
    });
  }
}
