import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { assemble, skip } from '../../../src/linux/tape/assemble.ts';
import { exitGroup } from '../../../src/linux/tape/blocks.ts';
import { placeTape } from '../../../src/linux/tape/layout.ts';
import { DATA_ADDRESS, FIRST_OPERATION_ADDRESS, OPERATION_SIZE } from '../../../src/linux/tape/machine-code.ts';
import {
  bytes,
  inside,
  result,
  text,
  words,
  type Argument,
  type Operation,
  type Tape,
} from '../../../src/linux/tape/operation.ts';
import { assertGolden } from '../../assert-golden.ts';
import { everyArgumentTape, helloTape, tapeOf } from './sample-tape.ts';

const operation = (...args: Argument[]): Operation => ({ call: 'getpid', args, what: 'ask for the pid' });

/** As hexdump prints it: 16 bytes a line. */
function dump(data: Buffer): string {
  const lines = Array.from({ length: Math.ceil(data.length / 16) }, (_, index) => {
    const at = index * 16;
    return `${(DATA_ADDRESS + at).toString(16)}  ${data.toString('hex', at, at + 16)}\n`;
  });
  return lines.filter((line) => !/ {2}0+\n$/.test(line)).join('');
}

test('a tape has the same bytes always: x64', (t) => {
  assertGolden(t, 'tape/every-argument.x64.txt', dump(assemble(everyArgumentTape(), 'x64').data));
});

test('a tape has the same bytes always: arm64', (t) => {
  assertGolden(t, 'tape/every-argument.arm64.txt', dump(assemble(everyArgumentTape(), 'arm64').data));
});

test('an operation is the number of its call, six arguments, and where to go', (t) => {
  const { data, operations } = assemble(helloTape('hi'), 'x64');
  const at = FIRST_OPERATION_ADDRESS - DATA_ADDRESS;
  const field = (index: number): number => Number(data.readBigUInt64LE(at + 8 * index));
  t.is(field(0), 1, 'write');
  t.is(field(1), 3, 'the status descriptor');
  const pointer = field(2) - DATA_ADDRESS;
  t.is(data.toString('latin1', pointer, pointer + 3), 'hi\0');
  t.is(field(3), 2);
  t.deepEqual([field(4), field(5), field(6)], [0, 0, 0]);
  t.is(operations.get(field(8))?.what, 'report the failed operation', 'an error goes to the block fail');
  t.is(field(9), 0, 'zero runs on');
});

test('a jump past operations leads to the one after them', (t) => {
  const first = { ...operation(), onError: skip(1), onZero: skip(0) };
  const { data } = assemble(tapeOf(first, operation(), exitGroup(0)), 'x64');
  const at = FIRST_OPERATION_ADDRESS - DATA_ADDRESS;
  t.is(Number(data.readBigUInt64LE(at + 64)), FIRST_OPERATION_ADDRESS + 2 * OPERATION_SIZE);
  t.is(Number(data.readBigUInt64LE(at + 72)), FIRST_OPERATION_ADDRESS + OPERATION_SIZE);
  t.throws(() => assemble(tapeOf({ ...operation(), onError: skip(9) }), 'x64'), { message: /No operation at 0x/ });
});

test('negative numbers and large flags keep their 64 bits', (t) => {
  const { data } = assemble(tapeOf(operation(-100, 0x2_0000_0000n, 0xffff_ffff), exitGroup(0)), 'x64');
  const at = FIRST_OPERATION_ADDRESS - DATA_ADDRESS;
  t.is(data.readBigInt64LE(at + 8), -100n);
  t.is(data.readBigUInt64LE(at + 16), 0x2_0000_0000n);
  t.is(data.readBigUInt64LE(at + 24), 0xffff_ffffn);
});

test('equal strings share one place, and one buffer used twice is one place', (t) => {
  const buffer = bytes(Buffer.alloc(8), 'buffer');
  const twin = bytes(Buffer.alloc(8), 'twin');
  const layout = placeTape(
    tapeOf(operation(text('same'), text('same'), buffer, buffer, inside(buffer, 4), twin), exitGroup(0)),
    4096,
  );
  t.is(layout.items.filter(({ content }) => content.type === 'text' && content.text === 'same').length, 1);
  t.is(layout.items.filter(({ content }) => content.type === 'bytes').length, 2);
});

test('a saved result lands in the argument that reads it, also inside an array', (t) => {
  const fd = result('fd');
  const reader = operation(words([5, fd], ''));
  const opener: Operation = { ...operation(), save: fd };
  const tape = tapeOf(opener, reader, exitGroup(0));
  const layout = placeTape(tape, 4096);
  const { data } = assemble(tape, 'x64');
  const save = Number(data.readBigUInt64LE(FIRST_OPERATION_ADDRESS - DATA_ADDRESS + 56));
  const array = layout.items.find(({ content }) => content.type === 'words');
  t.is(save, (array?.address ?? 0) + 8);
});

test('the zone of the child begins and ends at a page, behind everything of the parent', (t) => {
  for (const pageSize of [4096, 16384, 65536]) {
    const layout = placeTape(everyArgumentTape(), pageSize);
    const { start, size } = layout.childZone;
    t.is(start % pageSize, 0);
    t.is(size % pageSize, 0);
    const inChild = [...layout.operations].filter(([, address]) => address >= start).map(([{ what }]) => what);
    t.deepEqual(inChild, ['run the program']);
  }
});

type Unsound = { readonly tape: () => Tape; readonly message: RegExp };
const refuses = test.macro<[Unsound]>({
  exec: (t, { tape, message }) => void t.throws(() => assemble(tape(), 'x64'), { instanceOf: RangeError, message }),
  title: (title = '') => `refused: ${title}`,
});

const fd = result('fd');
const opens: Operation = { ...operation(), save: fd };
test('a call that the kernel does not have', refuses, {
  tape: () => tapeOf({ ...operation(), call: 'open_sesame' }),
  message: /no system call 'open_sesame'/,
});
test('a jump to a block that is not there', refuses, {
  tape: () => tapeOf({ ...operation(), onError: 'nowhere' }),
  message: /No block 'nowhere'/,
});
test('an operation that may fail in a tape without the block fail', refuses, {
  tape: () => ({ name: 'x', blocks: [{ label: 'main', zone: 'parent', operations: [operation()] }] }),
  message: /No block 'fail'/,
});
test('two blocks of one name', refuses, {
  tape: () => ({ name: 'x', blocks: [...tapeOf().blocks, ...tapeOf().blocks] }),
  message: /Two blocks 'main'/,
});
test('one operation object twice', refuses, {
  tape: () => tapeOf(opens, operation(fd), opens),
  message: /stands twice/,
});
test('a result that is saved twice', refuses, {
  tape: () => tapeOf(opens, operation(fd), { ...opens }),
  message: /'fd' is saved twice/,
});
test('a result that is read twice', refuses, {
  tape: () => tapeOf(opens, operation(fd), operation(fd)),
  message: /'fd' is read twice/,
});
test('a result that is read before it is saved', refuses, {
  tape: () => tapeOf(operation(fd), opens),
  message: /'fd' is read before it is saved/,
});
test('a result that is read by the operation that saves it', refuses, {
  tape: () => tapeOf({ ...operation(fd), save: fd }),
  message: /'fd' is read before it is saved/,
});
test('a result that nobody reads', refuses, { tape: () => tapeOf(opens), message: /'fd' is saved and never read/ });
test('a string with a NUL byte', refuses, {
  tape: () => tapeOf(operation(text('/etc\0/passwd'))),
  message: /NUL byte/,
});
test('more than six arguments', refuses, {
  tape: () => tapeOf(operation(1, 2, 3, 4, 5, 6, 7)),
  message: /more than six arguments/,
});
test('a pointer behind the end of its bytes', refuses, {
  tape: () => tapeOf(operation(inside(bytes(Buffer.alloc(8), ''), 8))),
  message: /Offset 8 is outside 8 bytes/,
});
test('a tape of more than 16 MiB', refuses, {
  tape: () => tapeOf(operation(bytes(Buffer.alloc(16 * 1024 * 1024), 'much'))),
  message: /larger than/,
});

// Arbitrary tapes: any mix of arguments in both zones.
const plainArgument = fc.oneof(
  fc.integer().map((number): Argument => number),
  fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é') }).map((string): Argument => text(string)),
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map((array): Argument => bytes(array, '')),
  fc
    .uint8Array({ minLength: 1, maxLength: 40 })
    .chain((array) => fc.nat(array.length - 1).map((offset): Argument => inside(bytes(array, ''), offset))),
);
const argument = fc.oneof(
  plainArgument,
  fc.array(plainArgument, { minLength: 1, maxLength: 5 }).map((list): Argument => words(list, '')),
);
const operations = fc.array(
  fc.array(argument, { maxLength: 6 }).map((args): Operation => ({ call: 'getpid', args, what: 'x' })),
  { minLength: 1, maxLength: 8 },
);
const tapes = fc.tuple(operations, operations).map(([parent, child]): Tape => ({
  ...tapeOf(...parent),
  blocks: [...tapeOf(...parent).blocks, { label: 'child', zone: 'child', operations: child }],
}));

test('every pointer of an assembled tape points at what was given, inside the tape', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(tapes, fc.constantFrom('x64', 'arm64'), (tape, architecture) => {
        const assembled = assemble(tape, architecture);
        for (const [address, { args }] of assembled.operations) checkArguments(assembled.data, address + 8, args);
      }),
    ),
  );
});

test('operations and data never overlap', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(tapes, (tape) => {
        const layout = placeTape(tape, 4096);
        const ranges = [
          ...[...layout.operations.values()].map((start) => ({ start, end: start + OPERATION_SIZE })),
          ...layout.items.map(({ address, content }) => ({ start: address, end: address + contentSize(content) })),
        ].sort((left, right) => left.start - right.start);
        ranges.reduce((end, range) => {
          assert.ok(range.start >= end, `${range.start} lies before ${end}`);
          return range.end;
        }, FIRST_OPERATION_ADDRESS);
        assert.ok((ranges.at(-1)?.end ?? 0) <= DATA_ADDRESS + layout.size);
      }),
    ),
  );
});

function checkArguments(data: Buffer, slots: number, args: readonly Argument[]): void {
  args.forEach((given, index) => {
    const slot = slots + 8 * index - DATA_ADDRESS;
    assert.ok(slot >= 0 && slot + 8 <= data.length);
    const word = data.readBigInt64LE(slot);
    const number = typeof given !== 'object' ? given : given.type === 'value' ? given.value : undefined;
    if (number !== undefined) {
      assert.equal(word, BigInt(number));
      return;
    }
    const offset = Number(word) - DATA_ADDRESS;
    assert.ok(offset >= 0 && offset <= data.length, `pointer ${word} lies outside`);
    if (typeof given !== 'object') return;
    if (given.type === 'text') {
      const expected = Buffer.from(`${given.text}\0`);
      assert.deepEqual(data.subarray(offset, offset + expected.length), expected);
    } else if (given.type === 'bytes') {
      assert.deepEqual(data.subarray(offset, offset + given.bytes.length), Buffer.from(given.bytes));
    } else if (given.type === 'inside') {
      const rest = given.of.bytes.subarray(given.offset);
      assert.deepEqual(data.subarray(offset, offset + rest.length), Buffer.from(rest));
    } else if (given.type === 'words') {
      checkArguments(data, Number(word), given.words);
    }
  });
}

function contentSize(content: ReturnType<typeof placeTape>['items'][number]['content']): number {
  switch (content.type) {
    case 'text':
      return Buffer.byteLength(content.text) + 1;
    case 'bytes':
      return content.bytes.length;
    case 'words':
      return 8 * content.words.length;
  }
}
