// A thread of `countObjects`'s child. Its end of a pipe closes when the parent ends, however that ends, and then it ends
// the child, whatever that does: a function that never returns to its event loop would go on for ever.
import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';

new Socket({ fd: workerData as number })
  .on('error', () => {})
  .on('close', () => process.kill(process.pid, 'SIGKILL'))
  .resume();
