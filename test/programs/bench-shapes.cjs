exports.nothing = () => {};
exports.four = () => [{ x: 1 }, { y: 2 }];
exports.later = async function later() {
  await null;
  return { a: 1, b: 2 };
};
exports.boom = () => {
  throw new Error('boom');
};
exports.exits = () => process.exit(3);
exports.hangs = () => new Promise(() => setInterval(() => {}, 1000));
