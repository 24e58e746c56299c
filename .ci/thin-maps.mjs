// thin-maps.mjs: leaves the source maps in dist one place for each line, which is what stack traces show. The package has no
// sources, so columns help nobody, and they were 131 kB of it, packed.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { decode, encode } from '@jridgewell/sourcemap-codec';

const dist = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..', 'dist');

for (const name of readdirSync(dist, { recursive: true })) {
  if (!name.endsWith('.js.map')) continue;
  const file = path.join(dist, name);
  const map = JSON.parse(readFileSync(file, 'utf8'));
  const lines = decode(map.mappings).map((places) => {
    const first = places.find((place) => place.length > 1);
    return first === undefined ? [] : [[0, first[1], first[2], 0]];
  });
  writeFileSync(file, JSON.stringify({ ...map, names: [], mappings: encode(lines) }));
}
