// A classic BPF machine that knows no more than seccomp(2) needs: the oracle for compiled filters.
import assert from 'node:assert/strict';

export type Call = { readonly nr: number; readonly arch: number; readonly args: readonly bigint[] };

/** Run a filter on one call and return what it returns. Fails on anything the kernel's checker would refuse. */
export function runFilter(program: Buffer, { nr, arch, args }: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(nr, 0);
  data.writeUInt32LE(arch, 4);
  for (const [index, value] of args.entries()) data.writeBigUInt64LE(value, 16 + index * 8);

  const length = program.length / 8;
  assert.ok(Number.isInteger(length) && length > 0 && length <= 4096, `${length} instructions`);
  let accumulator = 0;
  for (let at = 0; ; at++) {
    assert.ok(at < length, 'ran off the end');
    const code = program.readUInt16LE(at * 8);
    const jt = program.readUInt8(at * 8 + 2);
    const jf = program.readUInt8(at * 8 + 3);
    const k = program.readUInt32LE(at * 8 + 4);
    if (code === 0x06) return k;
    if (code === 0x20) {
      assert.ok(k % 4 === 0 && k < 64, `load at ${k}`);
      accumulator = data.readUInt32LE(k);
    } else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x05) at += k;
    else if (code === 0x15) at += accumulator === k ? jt : jf;
    else if (code === 0x25) at += accumulator > k ? jt : jf;
    else if (code === 0x35) at += accumulator >= k ? jt : jf;
    else assert.fail(`instruction 0x${code.toString(16)}`);
  }
}
