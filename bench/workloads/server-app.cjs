'use strict';
// A small JSON service on Fastify with a bounded cache: several routes of different weight, a mix of short-lived garbage
// and objects that live for a while.
const fastify = require('fastify');

const PRODUCTS = 500;

function makeProduct(id) {
  return {
    id,
    name: `product ${id}`,
    price: (id * 7919) % 10007,
    tags: [`t${id % 7}`, `t${id % 11}`, `t${id % 13}`],
  };
}

function buildApp() {
  const app = fastify();
  const products = Array.from({ length: PRODUCTS }, (_, id) => makeProduct(id));
  const carts = new Map();

  app.get('/products', async (request) => {
    const page = Number(request.query.page ?? 0);
    return {
      page,
      items: products
        .slice(page * 20, page * 20 + 20)
        .map((each) => ({ ...each, url: `/products/${each.id}` })),
    };
  });
  app.get('/search', async (request) => {
    const words = String(request.query.q).toLowerCase().split(/\s+/);
    return products
      .filter((each) => words.some((word) => each.name.includes(word) || each.tags.includes(word)))
      .slice(0, 50);
  });
  app.post('/carts/:id', async (request) => {
    const cart = carts.get(request.params.id) ?? { id: request.params.id, lines: [] };
    cart.lines = [...cart.lines, ...request.body.lines].slice(-30);
    carts.delete(cart.id);
    carts.set(cart.id, cart);
    if (carts.size > 2000) carts.delete(carts.keys().next().value);
    return {
      ...cart,
      total: cart.lines.reduce((sum, line) => sum + line.count * products[line.product].price, 0),
    };
  });
  app.get('/page/:id', async (request, reply) => {
    const product = products[Number(request.params.id) % PRODUCTS];
    const rows = product.tags.map(
      (tag) => `<li>${tag}: ${products.filter((each) => each.tags.includes(tag)).length}</li>`,
    );
    reply.type('text/html');
    return `<html><body><h1>${product.name}</h1><ul>${rows.join('')}</ul></body></html>`;
  });
  return app;
}

/** The n-th request: two in five list products, the others search, fill a cart or render a page. */
function request(n) {
  switch (n % 5) {
    case 0:
    case 1:
      return { method: 'GET', url: `/products?page=${n % 25}` };
    case 2:
      return { method: 'GET', url: `/search?q=product+${n % 97}+t${n % 7}` };
    case 3:
      return {
        method: 'POST',
        url: `/carts/${(n * 31) % 5000}`,
        payload: { lines: [{ product: n % PRODUCTS, count: 1 + (n % 3) }] },
      };
    default:
      return { method: 'GET', url: `/page/${n % PRODUCTS}` };
  }
}

module.exports = { buildApp, request };
