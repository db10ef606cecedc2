import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { Assembler, JEQ, parseProgram, RET } from '../../../src/linux/seccomp/assembler.ts';
import { runFilter } from './bpf-machine.ts';

const run = (program: Buffer, nr: number): number => runFilter(program, { nr, arch: 0, args: [] });

/** A jump with so many instructions between it and its targets: 100 or 200, by whether nr is 1; and the reverse. */
function farJump(toOne: number, toOther: number, which: 'nearIfTrue' | 'farIfTrue'): Buffer {
  const assembler = new Assembler();
  const padding = (count: number, next: number): number =>
    Array.from({ length: count }).reduce<number>((label) => assembler.load(4, label), next);
  // Targets that are no RET, which would be copied instead of jumped to.
  const other = assembler.load(0, assembler.ret(200));
  const filled = padding(toOther, other);
  const one = assembler.load(0, assembler.ret(100));
  padding(toOne, one);
  assert.ok(filled < one);
  const [onTrue, onFalse] = which === 'nearIfTrue' ? [one, other] : [other, one];
  return assembler.finish(assembler.load(0, assembler.jump(JEQ, 1, onTrue, onFalse)));
}

test('jumps arrive whatever the distance, also right at the limit of a byte', (t) => {
  for (let first = 250; first <= 258; first++) {
    for (const second of [0, 1, 2, 3, 250]) {
      const near = farJump(first, second, 'nearIfTrue');
      t.deepEqual([run(near, 1), run(near, 2)], [100, 200], `${first} ${second}`);
      const far = farJump(first, second, 'farIfTrue');
      t.deepEqual([run(far, 1), run(far, 2)], [200, 100], `${first} ${second} reversed`);
    }
  }
});

test('any two distances work', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 600 }), (toOne, toOther) => {
        const program = farJump(toOne, toOther, 'nearIfTrue');
        assert.deepEqual([run(program, 1), run(program, 2)], [100, 200]);
      }),
    ),
  );
});

test('equal returns are written once, and copied where they are too far', (t) => {
  const near = new Assembler();
  const entry = near.load(0, near.jump(JEQ, 1, near.ret(7), near.ret(7)));
  t.deepEqual(
    parseProgram(near.finish(entry)).map(({ code }) => code),
    [0x20, RET],
  );
});

test('a program is read back only as whole instructions', (t) => {
  t.throws(() => parseProgram(Buffer.alloc(12)), { message: 'A BPF program is a multiple of 8 bytes, not 12' });
});
