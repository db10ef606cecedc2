import test from 'ava';
import * as fc from 'fast-check';

import { formatConfigText, parseConfigText } from '../../../src/oci/runtime/config-text.ts';

const document = (value: string): string => `{"args":[{"index":0,"value":${value},"valueTwo": ${value}}]}`;

test('what seccomp compares with keeps its 64 bits, read and written', (t) => {
  t.deepEqual(parseConfigText(document('18446744073709551613')), {
    args: [{ index: 0, value: 18446744073709551613n, valueTwo: 18446744073709551613n }],
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        const read = parseConfigText(document(String(value))) as { args: [{ value: number | bigint }] };
        if (BigInt(read.args[0].value) !== value) throw new Error(`${read.args[0].value}`);
        const again = parseConfigText(formatConfigText(read)) as typeof read;
        if (again.args[0].value !== read.args[0].value) throw new Error(`${again.args[0].value}`);
      }),
    ),
  );
});

test('numbers that are exact anyway, and limits, stay numbers', (t) => {
  t.deepEqual(parseConfigText(document('9007199254740991')), {
    args: [{ index: 0, value: Number.MAX_SAFE_INTEGER, valueTwo: Number.MAX_SAFE_INTEGER }],
  });
  t.deepEqual(parseConfigText('{"soft":18446744073709551615,"value":1}'), { soft: 2 ** 64, value: 1 });
});
