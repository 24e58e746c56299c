'use strict';
// Tables of allocation sites, by function, from memprof's records.

/** Adds records up by the function that allocated: estimates of bytes and objects, unsampled once a record as in Go. */
function collectSites(records, sampleInterval) {
  const sites = new Map();
  for (const record of records) {
    const frame = record.stack()[0];
    const key = `${frame.functionName} ${frame.fileName}:${frame.lineNumber}`;
    let site = sites.get(key);
    if (site === undefined) {
      site = { frame, allocBytes: 0, allocObjects: 0, inUseBytes: 0, inUseObjects: 0, samples: 0 };
      sites.set(key, site);
    }
    const factor = 1 / (1 - Math.exp(-record.allocBytes / record.allocObjects / sampleInterval));
    site.allocBytes += record.allocBytes * factor;
    site.allocObjects += record.allocObjects * factor;
    site.inUseBytes += record.inUseBytes() * factor;
    site.inUseObjects += record.inUseObjects() * factor;
    site.samples += record.allocObjects;
  }
  return [...sites.values()];
}

function formatBytes(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${bytes.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}

function printSites(title, sites, column, count) {
  const total = sites.reduce((sum, site) => sum + site[column], 0);
  const rows = sites
    .filter((site) => site[column] > 0)
    .sort((a, b) => b[column] - a[column])
    .slice(0, count);
  console.log(`${title} (${formatBytes(total)}):`);
  for (const site of rows) {
    const share = `${((100 * site[column]) / total).toFixed(1)} %`;
    const { functionName, fileName, lineNumber } = site.frame;
    const place = fileName === '' ? '' : `  ${fileName.split('/').slice(-2).join('/')}:${lineNumber}`;
    console.log(`  ${formatBytes(site[column]).padStart(10)} ${share.padStart(7)}  ${functionName}${place}`);
  }
  console.log();
}

module.exports = { collectSites, formatBytes, printSites };
