// `node:diagnostics_channel`: messages for whoever subscribes. All are published from the event loop, never from within
// a garbage collection, and cost nothing while nobody subscribes.
import { type Channel, channel } from 'node:diagnostics_channel';
import { lazily } from '../base/lazily.js';

const statuses = lazily(() => require('./status.js') as typeof import('./status.js'));

/** At most one message of `memprof:harvest` comes in this time. */
const HARVEST_MS = 1000;

const displaced = channel('memprof:displaced');
const dump = channel('memprof:dump');
let harvest: Channel | undefined;
let timer: NodeJS.Timeout | undefined;

/** Somebody else stopped V8's sampler in this thread. */
export function publishDisplaced(): void {
  if (displaced.hasSubscribers) displaced.publish({ displaced: statuses().status().heap.displaced });
}

/** A profile was written to a file. */
export function publishDump(file: string, profile: string): void {
  if (dump.hasSubscribers) dump.publish({ file, profile });
}

/**
 * From here on `memprof:harvest` tells that figures have changed. No garbage collection says so: a timer looks, which
 * runs only while somebody subscribes, and does not keep the process alive.
 */
export function watchHarvests(): void {
  if (harvest !== undefined) return;
  harvest = channel('memprof:harvest');
  if (harvest.hasSubscribers) look();
  // `subscribe` of node:diagnostics_channel calls the channel's own; the prototype's depends on whether somebody
  // subscribes already.
  Object.defineProperty(harvest, 'subscribe', {
    value(this: Channel, ...args: Parameters<Channel['subscribe']>) {
      (Object.getPrototypeOf(this) as Channel).subscribe.apply(this, args);
      look();
    },
    configurable: true,
    writable: true,
  });
}

function look(): void {
  if (timer !== undefined) return;
  let seen = statuses().status().heap.harvests;
  timer = setInterval(() => {
    if (harvest?.hasSubscribers !== true) {
      clearInterval(timer);
      timer = undefined;
      return;
    }
    const { heap } = statuses().status();
    if (heap.harvests !== seen) harvest.publish(heap);
    seen = heap.harvests;
  }, HARVEST_MS).unref();
}
