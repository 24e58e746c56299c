import path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { lazily } from '../../base/lazily.js';
import type { Answer, Problem, Question } from './find-sources.js';

/**
 * Source maps are read by a thread that is not profiled: a large one takes seconds. The thread is made when it is asked, ends
 * when nobody asks for some seconds, and keeps nothing: what is to be known the next time comes with its answers.
 */

const workers = lazily(
  () => require('../../sampler/workers.js') as typeof import('../../sampler/workers.js'),
);

const IDLE_MS = 10_000;
const TOO_LONG_MS = 30_000;
// Where no thread can be made (`--permission`), to try again each time would cost more than it may bring.
const MAX_FAILURES = 3;
// Many times what the largest map takes, most of which is no JavaScript object: only to have a limit.
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 };

interface Asked {
  question: Question;
  resolve: (answer: Answer | Problem) => void;
}

class MapThread {
  // In the order of the answers.
  readonly #asked: Asked[] = [];
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  // In a row.
  #failures = 0;

  ask(question: Question): Promise<Answer | Problem> {
    if (this.#failures >= MAX_FAILURES) return Promise.resolve('no thread');
    return new Promise((resolve) => {
      const asked = { question, resolve };
      this.#asked.push(asked);
      try {
        this.#post(asked);
      } catch {
        this.#end('no thread');
      }
    });
  }

  #post({ question }: Asked): void {
    this.#worker ??= this.#make();
    const worker = this.#worker;
    // A program waits for its profile to be written, but not for a thread that is idle.
    worker.ref();
    worker.postMessage(question);
    if (this.#asked.length === 1) this.#wait();
  }

  #make(): Worker {
    const worker = workers().ownWorker(path.join(__dirname, 'map-thread.js'), {
      name: 'memprof source maps',
      resourceLimits: RESOURCE_LIMITS,
      stdout: true,
      stderr: true,
    });
    worker.on('message', (answer: Answer) => {
      if (worker !== this.#worker) return;
      this.#failures = 0;
      this.#asked.shift()?.resolve(answer);
      this.#wait();
    });
    const gone = () => {
      if (worker === this.#worker) this.#end('no thread');
    };
    worker.on('error', gone);
    worker.on('exit', gone);
    return worker;
  }

  /** For the next answer, or else for somebody to ask. */
  #wait(): void {
    clearTimeout(this.#timer);
    if (this.#asked.length > 0) {
      this.#timer = setTimeout(() => this.#end('took too long'), TOO_LONG_MS);
    } else {
      this.#worker?.unref();
      this.#timer = setTimeout(() => this.#end('no thread'), IDLE_MS);
    }
    this.#timer.unref();
  }

  /** Ends the thread. The question that it was at is to blame, the others go to the next thread. */
  #end(problem: Problem): void {
    clearTimeout(this.#timer);
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.terminate().catch(() => {});
    const blamed = this.#asked.shift();
    if (blamed !== undefined) this.#failures++;
    blamed?.resolve(problem);
    for (const asked of this.#asked.splice(0)) this.ask(asked.question).then(asked.resolve);
  }
}

const thread = new MapThread();

/** What `findSources` answers, from another thread; or why there is no answer. Never rejects. */
export function askThread(question: Question): Promise<Answer | Problem> {
  return thread.ask(question);
}
