'use strict';
// What memprof does in a program whose working directory was removed.
const { status } = require('../../dist');

const { state, dump } = status();
console.log(`${state}, ${process.listenerCount('SIGUSR2')} SIGUSR2 listener, dump ${dump.directory}`);
