import { asyncDisposable } from '../base/disposable.js';
import { warn } from '../base/say.js';
import { encodeProto } from '../capture/pipeline.js';
import { AllocatedSince } from './allocated-since.js';
import { type CheckedPushOptions, checkPushOptions, type PushOptions } from './push-options.js';
import { ingestRequest } from './pyroscope-request.js';

export type { PushOptions } from './push-options.js';

/** Counts since `push()`. */
export interface PushStats {
  pushed: number;
  /** Refused, timed out, or not sent at all. What was allocated is in the next one. */
  failed: number;
  /** Times that had come while an earlier push was still under way. */
  skipped: number;
  /** Of the last push that failed. */
  lastError?: string;
}

/** What `push` returns. `await using` stops it at the end of the block. */
export interface Push extends AsyncDisposable {
  /** Pushes a last time, after one that is under way. Never rejects; takes at most twice the timeout. */
  stop(): Promise<void>;
  /** How the pushes went so far. */
  stats(): PushStats;
}

/**
 * Sends profiles of the whole process to a Pyroscope server from here on: what is in use, and what was allocated since
 * the push before. Call it in one thread. It does not start the profiler, and while nothing was sampled, nothing is
 * sent.
 *
 * The program notices as little as can be: the timer does not keep it alive, one push at a time is under way, each with
 * a timeout, and the first that fails is told as a `MEMPROF_PUSH` warning, the others only in `stats()`.
 *
 * @param options `url` and `name` are needed; see `PushOptions` for the others and their defaults.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_OUT_OF_RANGE`, `ERR_MEMPROF_UNKNOWN_OPTION` for options.
 * @throws `ERR_MEMPROF_NO_BINARY`, `ERR_MEMPROF_ABI` if there is no binary for this Node.js.
 * @example
 * const pushing = push({ url: 'http://pyroscope:4040', name: 'shop.checkout' });
 */
export function push(options: PushOptions): Push {
  const checked = checkPushOptions(options);
  const pusher = new Pusher(checked);
  const timer = setInterval(() => pusher.tick(), checked.interval).unref();
  let stopped: Promise<void> | undefined;
  const stop = () => {
    clearInterval(timer);
    stopped ??= pusher.finish();
    return stopped;
  };
  return asyncDisposable({ stop, stats: () => ({ ...pusher.stats }) }, stop);
}

class Pusher {
  readonly stats: PushStats = { pushed: 0, failed: 0, skipped: 0 };
  readonly #options: CheckedPushOptions;
  readonly #allocated: AllocatedSince;
  #from = Date.now();
  #underWay: Promise<void> | undefined;
  #warned = false;

  constructor(options: CheckedPushOptions) {
    this.#options = options;
    this.#allocated = new AllocatedSince(options.sourceMaps);
  }

  tick(): void {
    if (this.#underWay !== undefined) {
      this.stats.skipped++;
      return;
    }
    this.#underWay = this.#push().finally(() => {
      this.#underWay = undefined;
    });
  }

  async finish(): Promise<void> {
    await this.#underWay;
    await this.#push();
  }

  async #push(): Promise<void> {
    try {
      const until = Date.now();
      const { profile, accept } = await this.#allocated.read();
      profile.durationNanos = (until - this.#from) * 1e6;
      if (profile.samples.length > 0) await this.#send(await encodeProto(profile), until);
      // Only now: what a failed push would have said, the next one says.
      accept();
      this.#from = until;
    } catch (error) {
      this.#fail(error);
    }
  }

  async #send(profile: Uint8Array, until: number): Promise<void> {
    const { target, timeout: limit } = this.#options;
    const { url, init } = ingestRequest(target, profile, this.#from, until);
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    // A `fetch` of the program's own may not care for the signal.
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${limit / 1000} s`));
        abort.abort();
      }, limit);
    });
    try {
      await Promise.race([this.#exchange(url, { ...init, signal: abort.signal }), timeout]);
      this.stats.pushed++;
    } finally {
      clearTimeout(timer);
    }
  }

  async #exchange(url: string, init: RequestInit): Promise<void> {
    const response = await (this.#options.fetch ?? fetch)(url, init);
    const reader = response.body?.getReader();
    const start = await reader?.read();
    await reader?.cancel();
    if (response.ok) return;
    const text = Buffer.from(start?.value ?? []).toString('utf8', 0, 200);
    const [line = ''] = text.trim().split('\n');
    throw new Error(
      ['HTTP', response.status, response.statusText, line].filter((part) => part !== '').join(' '),
    );
  }

  #fail(error: unknown): void {
    // `fetch` says why in the cause. What a program's own rejects with may be anything.
    const { message, cause } = (error ?? {}) as { message?: unknown; cause?: { message?: unknown } };
    const reason = String(cause?.message || message || error);
    this.stats.failed++;
    this.stats.lastError = reason;
    if (this.#warned) return;
    this.#warned = true;
    warn(
      `a profile could not be pushed to ${this.#options.target.url.host}: ${reason}; memprof keeps trying, and will not warn again`,
      'MEMPROF_PUSH',
    );
  }
}
