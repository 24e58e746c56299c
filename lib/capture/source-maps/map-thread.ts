// A thread that reads source maps for one that is profiled: see `ask-thread.ts`.
import { parentPort } from 'node:worker_threads';
import { findSources, type Question } from './find-sources.js';

parentPort!.on('message', (question: Question) => parentPort!.postMessage(findSources(question)));
