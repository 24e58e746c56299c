export * from './export/prometheus-collector.js';
