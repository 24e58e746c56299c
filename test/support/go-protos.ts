// Protos made field by field, with parts that memprof itself never writes.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Test } from 'tap';
import {
  FUNCTION,
  LINE,
  LOCATION,
  MAPPING,
  PROFILE,
  SAMPLE,
  VALUE_TYPE,
} from '#dist/formats/pprof/fields.js';
import { type Field, message } from './protos.js';

/** A folder of the test; `testdir` would empty it each time. */
export function scratch(t: Test): string {
  mkdirSync(t.testdirName, { recursive: true });
  t.teardown(() => rmSync(t.testdirName, { recursive: true, force: true }));
  return t.testdirName;
}

class Strings {
  readonly #ids = new Map([['', 0]]);
  id(text: string): number {
    const id = this.#ids.get(text) ?? this.#ids.size;
    this.#ids.set(text, id);
    return id;
  }
  fields(): [number, Field][] {
    return [...this.#ids.keys()].map((text) => [PROFILE.string, Buffer.from(text)]);
  }
}

/** A proto of one value, `write` adds what it likes. */
export function proto(
  t: Test,
  types: readonly [string, string][],
  write: (id: (text: string) => number) => [number, Field][],
): string {
  const strings = new Strings();
  const id = (text: string) => strings.id(text);
  const fields = [
    ...types.map(([type, unit]): [number, Field] => [
      PROFILE.sampleType,
      message([
        [VALUE_TYPE.type, id(type)],
        [VALUE_TYPE.unit, id(unit)],
      ]),
    ]),
    ...write(id),
  ];
  const name = path.join(scratch(t), 'x.pb.gz');
  writeFileSync(name, gzipSync(message([...fields, ...strings.fields()])));
  return name;
}

export type Id = (text: string) => number;

export function functionOf(
  id: Id,
  number: number,
  name: string,
  fileName = '',
  systemName = name,
  startLine = 0,
): [number, Field] {
  return [
    PROFILE.function,
    message([
      [FUNCTION.id, number],
      [FUNCTION.name, id(name)],
      [FUNCTION.systemName, id(systemName)],
      [FUNCTION.file, id(fileName)],
      [FUNCTION.startLine, startLine],
    ]),
  ];
}

export function locationOf(
  number: number,
  mapping: number,
  address: number | bigint,
  lines: readonly [number, number][],
  folded = 0,
): [number, Field] {
  return [
    PROFILE.location,
    message([
      [LOCATION.id, number],
      [LOCATION.mappingId, mapping],
      [LOCATION.address, address],
      ...lines.map(([fn, line]): [number, Field] => [
        LOCATION.line,
        message([
          [LINE.functionId, fn],
          [LINE.line, line],
        ]),
      ]),
      [LOCATION.isFolded, folded],
    ]),
  ];
}

export function mappingOf(
  id: Id,
  number: number,
  start: number | bigint,
  limit: number | bigint,
  fileName: string,
  known = 0,
): [number, Field] {
  return [
    PROFILE.mapping,
    message([
      [MAPPING.id, number],
      [MAPPING.start, start],
      [MAPPING.limit, limit],
      [MAPPING.file, id(fileName)],
      [MAPPING.hasFunctions, known],
      [MAPPING.hasInlineFrames, known],
    ]),
  ];
}

export function sampleOf(
  locations: readonly number[],
  values: readonly (number | bigint)[],
  labels: readonly [number, Field][][] = [],
): [number, Field] {
  return [
    PROFILE.sample,
    message([
      [SAMPLE.locationIds, locations],
      [SAMPLE.values, values],
      ...labels.map((label): [number, Field] => [SAMPLE.label, message(label)]),
    ]),
  ];
}
