// Whose memory is it? Each request gets the label of its tenant, which stays with it through all that is asynchronous:
//
//   node server.js
//   go tool pprof -tags -sample_index=inuse_space http://127.0.0.1:6060/debug/pprof/heap
//   npx memprof top --tagfocus tenant=acme http://127.0.0.1:6060/debug/pprof/heap
//
// Labels need Node.js 24 or later, and samples that memprof takes itself.

const { createServer } = require('node:http');
const memprof = require('memprof');
const { serve } = require('memprof/http');

memprof.start({ directSamples: true, buffers: true });

const carts = new Map();

async function addToCart(tenant, count) {
  await new Promise(setImmediate); // A query, say: the label is still there.
  const cart = Array.from({ length: count }, (_, at) => ({ at, tenant }));
  carts.set(tenant, [...(carts.get(tenant) ?? []), cart]);
}

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url, 'http://localhost');
  const tenant = searchParams.get('tenant') ?? 'none';
  memprof.withLabels({ tenant }, async () => {
    await addToCart(tenant, Number(searchParams.get('count') ?? 100));
    response.end(`${tenant}\n`);
  });
});

server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', async () => {
  const { url } = await serve({ port: Number(process.env.PROFILES_PORT ?? 6060) });
  console.log(`http://127.0.0.1:${server.address().port}/ ${url}`);
});
