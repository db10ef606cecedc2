// What a program needs to run: its interpreter and its shared libraries, read from its ELF headers. elf(5), ld.so(8)
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NULL = 0n;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;

export type ElfNeeds = {
  /** The dynamic loader, such as /lib64/ld-linux-x86-64.so.2. Undefined for a static program. */
  readonly interpreter: string | undefined;
  /** Names of shared libraries, such as libc.so.6. */
  readonly needed: readonly string[];
};

type Segment = {
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly size: number;
};

/** Read the needs of a 64-bit little-endian ELF file. Throws TypeError on anything else. */
export function elfNeeds(file: Buffer): ElfNeeds {
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new TypeError('Not a 64-bit little-endian ELF file');
  }
  const segments = segmentsOf(file);
  const interpreter = segments.find((segment) => segment.type === PT_INTERP);
  return {
    interpreter: interpreter === undefined ? undefined : stringAt(file, interpreter.offset),
    needed: neededOf(file, segments),
  };
}

function segmentsOf(file: Buffer): Segment[] {
  const start = Number(file.readBigUInt64LE(32)); // e_phoff
  const size = file.readUInt16LE(54); // e_phentsize
  return Array.from({ length: file.readUInt16LE(56) }, (_, index) => {
    const at = start + index * size;
    return {
      type: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: file.readBigUInt64LE(at + 16),
      size: Number(file.readBigUInt64LE(at + 32)),
    };
  });
}

function neededOf(file: Buffer, segments: readonly Segment[]): string[] {
  const dynamic = segments.find((segment) => segment.type === PT_DYNAMIC);
  if (dynamic === undefined) return [];
  const entries: [tag: bigint, value: bigint][] = [];
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    const tag = file.readBigInt64LE(at);
    if (tag === DT_NULL) break;
    entries.push([tag, file.readBigUInt64LE(at + 8)]);
  }
  const strings = fileOffset(segments, entries.find(([tag]) => tag === DT_STRTAB)?.[1] ?? 0n);
  return entries.filter(([tag]) => tag === DT_NEEDED).map(([, value]) => stringAt(file, strings + Number(value)));
}

/** Where in the file an address of the loaded program lies. */
function fileOffset(segments: readonly Segment[], address: bigint): number {
  const segment = segments.find(
    ({ type, address: start, size }) => type === PT_LOAD && address >= start && address < start + BigInt(size),
  );
  if (segment === undefined) throw new TypeError(`Address 0x${address.toString(16)} lies in no segment`);
  return segment.offset + Number(address - segment.address);
}

function stringAt(file: Buffer, offset: number): string {
  return file.toString('utf8', offset, file.indexOf(0, offset));
}

/** Every file that `program` needs, the program itself left out: the loader, and libraries of libraries. */
export function runtimeFiles(program: string): string[] {
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    const { interpreter, needed } = elfNeeds(readFileSync(path));
    if (interpreter !== undefined) found.set(interpreter, interpreter);
    for (const name of needed) {
      if (found.has(name) || [...found.values()].some((known) => known.endsWith(`/${name}`))) continue;
      const library = findLibrary(name);
      found.set(name, library);
      visit(library);
    }
  };
  visit(program);
  return [...found.values()];
}

/** Where ld.so looks without a cache: the multiarch directories of Debian first, then the usual ones. */
function findLibrary(name: string): string {
  const bases = ['/lib', '/usr/lib', '/lib64', '/usr/lib64'].filter((base) => existsSync(base));
  const multiarch = bases.flatMap((base) =>
    readdirSync(base)
      .filter((child) => child.endsWith('-linux-gnu'))
      .map((child) => join(base, child)),
  );
  const path = [...multiarch, ...bases].map((directory) => join(directory, name)).find((file) => existsSync(file));
  if (path === undefined) throw new Error(`Library ${name} is not in ${[...multiarch, ...bases].join(', ')}`);
  return path;
}
