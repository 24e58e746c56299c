exports.parseLine = function parseLine(line) {
  const at = line.indexOf('=');
  return { name: line.slice(0, at), value: line.slice(at + 1) };
};
