import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { LineStamper } from '../../src/cli/line-stamper.ts';

test('every line begins with the time of its last byte', (t) => {
  const stamper = new LineStamper((offset) => offset * 1000);
  t.is(
    stamper.stamp(Buffer.from('one\n\nthree\n'), 100).toString(),
    '1970-01-01T00:01:43.000Z one\n1970-01-01T00:01:44.000Z \n1970-01-01T00:01:50.000Z three\n',
  );
});

test('a line that comes in pieces has one time, and taking the times away gives the log back', (t) => {
  const lines = fc.array(fc.stringMatching(/^[a-z\n]{0,12}$/), { maxLength: 8 });
  t.notThrows(() =>
    fc.assert(
      fc.property(lines, (pieces) => {
        const stamper = new LineStamper(() => 0);
        const stamped = pieces.map((piece) => stamper.stamp(Buffer.from(piece), 0).toString()).join('');
        const text = pieces.join('');
        assert.equal(stamped.replaceAll('1970-01-01T00:00:00.000Z ', ''), text);
        const count = text.split('\n').length - (text.endsWith('\n') || text === '' ? 1 : 0);
        assert.equal(stamped.split('1970-01-01T00:00:00.000Z ').length - 1, count);
      }),
    ),
  );
});
