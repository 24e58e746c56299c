// TypeScript that is bundled and minified. The profile shows its own names and lines, from the source map:
//
//   npx esbuild server.ts --bundle --minify --sourcemap --platform=node --external:memprof --outfile=out/server.js
//   npx memprof run out/server.js

interface Order {
  readonly id: number;
  readonly items: readonly string[];
}

const open = new Map<number, Order>();

export function receiveOrder(id: number): Order {
  const order: Order = { id, items: Array.from({ length: 50 }, (_, at) => `item ${at} of ${id}`) };
  open.set(id, order);
  return order;
}

for (let id = 0; id < 10_000; id++) receiveOrder(id);
console.log(`${open.size} open orders`);
