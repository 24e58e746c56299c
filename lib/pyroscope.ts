export * from './export/pyroscope-push.js';
