import t from 'tap';
import { formatFolded } from '#dist/formats/folded.js';
import { profileFromRecords } from '#dist/profile/heap-values.js';
import { frame, record } from '../support/records.js';

const options = { sampleInterval: 1, defaultSampleType: 'inuse_space', timeNanos: 1, program: '' };
const leaf = frame({ functionName: 'leaf', lineNumber: 3 });
const root = frame({ functionName: 'root', lineNumber: 1 });

t.test('a line a stack, root first, in each of the four values', async (t) => {
  const profile = profileFromRecords(
    [
      record({ allocObjects: 5, allocBytes: 80, inUseObjects: 2, inUseBytes: 32 }, [leaf, root]),
      record({ allocObjects: 1, allocBytes: 8 }, [root]),
      record({ allocObjects: 1, allocBytes: 64, inUseObjects: 1, inUseBytes: 64 }, [leaf, root]),
    ],
    options,
  );
  const both = 'root (/app/main.js:1);leaf (/app/main.js:3)';
  t.equal(formatFolded(profile), `${both} 96\n`);
  t.equal(formatFolded(profile, 'inuse_space'), `${both} 96\n`);
  t.equal(formatFolded(profile, 'inuse_objects'), `${both} 3\n`);
  t.equal(formatFolded(profile, 'alloc_space'), `${both} 144\nroot (/app/main.js:1) 8\n`);
  t.equal(formatFolded(profile, 'alloc_objects'), `${both} 6\nroot (/app/main.js:1) 1\n`);
  t.throws(() => formatFolded(profile, 'space'), {
    code: 'ERR_MEMPROF_OUT_OF_RANGE',
    message: /^sampleType must be 'alloc_objects' or .*, but is "space"$/,
  });
});

t.test('names cannot break a line', async (t) => {
  const odd = frame({ functionName: 'a;b\r\nc\u2028d 7', fileName: '/x;y\n.js' });
  const unnamed = frame({ functionName: '', fileName: '', address: 0xabc });
  const profile = profileFromRecords(
    [record({ allocObjects: 1, allocBytes: 8, inUseObjects: 1, inUseBytes: 8 }, [odd, unnamed])],
    options,
  );
  t.equal(formatFolded(profile), '0xabc;a:b  c d 7 (/x:y .js:7) 8\n');
});

t.test('big figures are whole numbers', async (t) => {
  const profile = profileFromRecords(
    [record({ allocObjects: 1, allocBytes: 2 ** 70, inUseObjects: 1, inUseBytes: 2 ** 70 }, [])],
    options,
  );
  t.equal(formatFolded(profile), '(unknown) 1180591620717411303424\n');
  t.equal(formatFolded(profileFromRecords([], options)), '');
});
