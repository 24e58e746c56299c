// What `memprof attach` loads into a running program, and `memprof detach` finds there.
import type { MemprofError } from '../base/errors.js';
import { programName } from '../base/program.js';
import { type Server, serve } from '../http/serve.js';
import type { StartOptions } from '../profile/public-types.js';
import { start, stop } from '../sampler/start.js';
import { status } from '../sampler/status.js';

export interface Attached {
  pid: number;
  program: string;
  version: string;
  url: string;
  sampleInterval: number;
  /** The program profiled itself before. */
  wasRunning: boolean;
  /** `attach` was here before: its server goes on. */
  again: boolean;
}

interface State {
  server: Server;
  wasRunning: boolean;
}

const KEY = Symbol.for('memprof.attached');
const here = globalThis as { [KEY]?: State };

export async function attach(options: StartOptions, port: number): Promise<Attached> {
  const before = here[KEY];
  const again = before !== undefined;
  const wasRunning = before?.wasRunning ?? status().state === 'running';
  if (!again) {
    if (!wasRunning) startAnew({ workers: true, ...options });
    try {
      here[KEY] = { server: await serve({ port }), wasRunning };
    } catch (error) {
      if (!wasRunning) stop();
      throw error;
    }
  }
  return {
    pid: process.pid,
    program: programName(),
    version: process.version,
    url: here[KEY]!.server.url,
    sampleInterval: status().heap.sampleInterval,
    wasRunning,
    again,
  };
}

/** Without the figures of an earlier time, if no worker goes on. */
function startAnew(options: StartOptions): void {
  try {
    start({ ...options, reset: true });
  } catch (error) {
    if ((error as Partial<MemprofError>).code !== 'ERR_MEMPROF_STILL_RUNNING') throw error;
    start(options);
  }
}

/** Resolves to false if nothing was attached. */
export async function detach(): Promise<boolean> {
  const state = here[KEY];
  if (state === undefined) return false;
  delete here[KEY];
  await state.server.close();
  if (!state.wasRunning) stop();
  return true;
}
