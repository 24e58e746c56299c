import { native } from '../addon/native.js';
import { lazily } from '../base/lazily.js';
import { warn } from '../base/say.js';

const channels = lazily(() => require('./channels.js') as typeof import('./channels.js'));

const RETRY_MS = 5000;

let watching = false;
let warned = false;

/**
 * V8 has one sampling heap profiler a thread. Whoever stops it (an inspector, Node's own heap profile) stops ours; we
 * find out at the next garbage collection, say so once, and begin anew as soon as nobody else samples.
 */
export function watchForDisplacement(): void {
  if (watching) return;
  watching = true;
  native().onDisplaced(() => {
    channels().publishDisplaced();
    if (!warned) {
      warned = true;
      warn(
        "somebody else stopped V8's sampling heap profiler, which memprof uses: what was in use counts as freed, and " +
          'memprof samples again as soon as nobody else does',
        'MEMPROF_DISPLACED',
      );
    }
    restart();
  });
}

function restart(): void {
  const { restart, readStatus } = native();
  const stillDisplaced = () => readStatus().state === 2;
  if (stillDisplaced() && !restart()) setTimeout(restartLater, RETRY_MS).unref();
}

function restartLater(): void {
  restart();
}
