import type { Mapping } from '../../profile/model.js';
import { isRounded } from './exact.js';
import { MAPPING } from './fields.js';
import type { TextTable } from './text-table.js';
import type { WireReader } from './wire-reader.js';

/** Reads the message that the reader has entered. */
export function readMapping(reader: WireReader, texts: TextTable): { id: number | bigint; mapping: Mapping } {
  let id: number | bigint = 0;
  const mapping: Mapping = { start: 0, limit: 0, offset: 0, fileName: '', buildId: '' };
  const exact = { start: 0n, limit: 0n, offset: 0n };
  const known = { functions: false, fileNames: false, lineNumbers: false, inlinedCalls: false };
  const set = (name: 'start' | 'limit' | 'offset') => {
    mapping[name] = reader.unsigned();
    exact[name] = reader.exactUnsigned();
  };
  while (reader.nextField()) {
    if (reader.field >= MAPPING.id && reader.field <= MAPPING.hasInlineFrames) reader.expect(0);
    if (reader.field === MAPPING.id) id = reader.id();
    else if (reader.field === MAPPING.start) set('start');
    else if (reader.field === MAPPING.limit) set('limit');
    else if (reader.field === MAPPING.offset) set('offset');
    else if (reader.field === MAPPING.file) mapping.fileName = texts.at(reader.signed());
    else if (reader.field === MAPPING.buildId) mapping.buildId = texts.at(reader.signed());
    else if (reader.field === MAPPING.hasFunctions) known.functions = reader.unsigned() !== 0;
    else if (reader.field === MAPPING.hasFilenames) known.fileNames = reader.unsigned() !== 0;
    else if (reader.field === MAPPING.hasLineNumbers) known.lineNumbers = reader.unsigned() !== 0;
    else if (reader.field === MAPPING.hasInlineFrames) known.inlinedCalls = reader.unsigned() !== 0;
  }
  mapping.known = known;
  if (Object.values(exact).some(isRounded)) mapping.exact = exact;
  return { id, mapping };
}
