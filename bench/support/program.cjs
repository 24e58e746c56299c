'use strict';
// For the programs that commands run as children: their arguments, and their answer.

/** The arguments given to `runProgram`. */
function programArguments() {
  return JSON.parse(process.argv[2]);
}

/** Sends the answer and lets the program end. */
function answer(message) {
  process.send(message, () => process.disconnect());
}

module.exports = { answer, programArguments };
