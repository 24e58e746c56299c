'use strict';
// A thread that fetches profiles over HTTP, so that the profiled thread is no client.
const http = require('node:http');
const { parentPort, workerData } = require('node:worker_threads');

parentPort.on('message', () => {
  http.get(`${workerData}heap`, (response) => {
    const chunks = [];
    response.on('data', (chunk) => chunks.push(chunk));
    response.on('end', () => {
      if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${Buffer.concat(chunks)}`);
      parentPort.postMessage(Buffer.concat(chunks));
    });
  });
});
