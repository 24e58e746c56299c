#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { didYouMean, nearest } from '../base/nearest.js';
import { printable } from '../base/text.js';
import type { Command } from './command.js';
import { allCommands, commandCalled, commandNames } from './commands.js';
import { commandHelp, overview } from './help.js';
import { countFlags, flagsOf, parseFlags, UsageError } from './options.js';
import { Failure } from './profile-file.js';
import { endProgress } from './progress.js';

const FAILED = 1;
const USAGE = 2;

function version(): string {
  const manifest = readFileSync(path.join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function findCommand(name: string): Command {
  const command = commandCalled(name);
  if (command !== undefined) return command;
  if (name.startsWith('-')) {
    throw new UsageError(`unknown option ${printable(name)}: options of a command follow its name`);
  }
  throw new UsageError(`unknown command ${printable(name)}${didYouMean(nearest(name, commandNames))}`);
}

async function main(args: readonly string[]): Promise<number | undefined> {
  const [name, ...rest] = args;
  if (name === undefined) {
    process.stderr.write(overview(allCommands()));
    return USAGE;
  }
  if (name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(rest[0] === undefined ? overview(allCommands()) : commandHelp(findCommand(rest[0])));
    return 0;
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const command = findCommand(name);
  const end = command.passesRest ? countFlags(rest, flagsOf(command.name)) : rest.length;
  const parsed = parseFlags(command.name, rest.slice(0, end));
  if (parsed.values.help === true) {
    process.stdout.write(commandHelp(command));
    return 0;
  }
  return command.run({ ...parsed, operands: [...parsed.operands, ...rest.slice(end)] });
}

function fail(error: unknown): number {
  endProgress();
  if (error instanceof UsageError) {
    const help = `memprof ${error.command === undefined ? '' : `${error.command} `}--help`;
    process.stderr.write(`memprof: ${error.message}\nTry '${help}'.\n`);
    return USAGE;
  }
  const { message } = error as Error;
  const text = error instanceof Failure ? message : printable(String(message ?? error).split('\n')[0]!);
  process.stderr.write(`memprof: ${text}\n`);
  return FAILED;
}

// Writers see the error in their callback; without these listeners it would crash the process.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

main(process.argv.slice(2)).then(
  (code) => {
    if (code !== undefined) process.exitCode = code;
  },
  (error) => {
    process.exitCode = fail(error);
  },
);
