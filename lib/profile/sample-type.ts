import { outOfRange } from '../base/errors.js';
import type { ProfileData } from './model.js';

/** Where the values of a type are in those of a sample. */
export function columnOf({ sampleTypes }: ProfileData, sampleType: string): number {
  const column = sampleTypes.findIndex(({ type }) => type === sampleType);
  if (column === -1) {
    const known = sampleTypes.map(({ type }) => `'${type}'`).join(' or ');
    throw outOfRange('sampleType', known || 'a type the profile has', sampleType);
  }
  return column;
}
