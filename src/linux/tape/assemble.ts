// Tape → memory: operations and data laid out at fixed addresses, every pointer resolved and checked.
//
//   DATA_ADDRESS  failure record (16) · scratch (8) · pad (8) · parent's operations · parent's data
//   next page     child's operations · child's data                       (the parent unmaps this after its clone)
import { syscallNumber } from '../syscall-numbers.ts';
import { placeTape, type Layout } from './layout.ts';
import { DATA_ADDRESS, FAILURE_ADDRESS, OPERATION_SIZE, SCRATCH_ADDRESS, type Architecture } from './machine-code.ts';
import type { Argument, Inside, Operation, Tape } from './operation.ts';

/** A tape in memory, and which operation lies where. */
export type AssembledTape = {
  readonly data: Buffer;
  /** Address → operation, to name the one that a failure record points at. */
  readonly operations: ReadonlyMap<number, Operation>;
};

const MAX_ARGUMENTS = 6;

/** Where nothing is ever mapped: storing there is SIGSEGV. */
const NOWHERE = 0;

/** What `onError` says to go on with the next operation. */
export const NEXT = 'next';
/** The same past the next `count` operations, all of its own block. */
export function skip(count: number): string {
  return `skip ${count}`;
}
/** The block to go to on an error when an operation does not say. */
export const FAIL = 'fail';

/**
 * Lay a tape out for one architecture. `pageSize` in bytes is what the child's zone is aligned to.
 * Throws RangeError on an unknown call or label, a result read twice, never or before it is saved, or a string with NUL.
 */
export function assemble(tape: Tape, architecture: Architecture, pageSize = 4096): AssembledTape {
  const layout = placeTape(tape, pageSize);
  const data = Buffer.alloc(layout.size);
  const words = new Words64(data);
  for (const [operation, address] of layout.operations)
    writeOperation(words, address, operation, { layout, architecture });
  for (const { content, address } of layout.items) {
    const offset = address - DATA_ADDRESS;
    if (content.type === 'text') data.write(content.text, offset);
    else if (content.type === 'bytes') data.set(content.bytes, offset);
    else content.words.forEach((argument, index) => words.set(address + 8 * index, argumentValue(argument, layout)));
  }
  return new Assembled(data, layout);
}

/** Only a tape that failed asks which operation lies where. */
class Assembled implements AssembledTape {
  readonly data: Buffer;
  readonly #layout: Layout;

  constructor(data: Buffer, layout: Layout) {
    this.data = data;
    this.#layout = layout;
  }

  get operations(): ReadonlyMap<number, Operation> {
    return new Map([...this.#layout.operations].map(([operation, address]) => [address, operation]));
  }
}

/** Memory from DATA_ADDRESS on as 64-bit words: two's complement, little endian, as both architectures have it. */
class Words64 {
  readonly #halves: Int32Array;

  constructor({ buffer, byteOffset, length }: Buffer) {
    this.#halves = new Int32Array(buffer, byteOffset, length >> 2);
  }

  /** Numbers go without BigInt: there are a thousand of them in a tape. */
  set(address: number, number: number | bigint): void {
    const index = (address - DATA_ADDRESS) >> 2;
    this.#halves[index] = typeof number === 'bigint' ? Number(BigInt.asIntN(32, number)) : number | 0;
    this.#halves[index + 1] =
      typeof number === 'bigint' ? Number(BigInt.asIntN(32, number >> 32n)) : Math.floor(number / 0x1_0000_0000);
  }
}

type Target = { readonly layout: Layout; readonly architecture: Architecture };

/** The call's number, its arguments, where its result goes, and where to go on an error and on zero: machine-code.ts. */
function writeOperation(words: Words64, address: number, operation: Operation, { layout, architecture }: Target): void {
  const { call, args, save, returns, onError = FAIL, onZero = NEXT } = operation;
  if (args.length > MAX_ARGUMENTS) throw new RangeError(`${call} has more than six arguments`);
  words.set(address, syscallNumber(architecture, call));
  for (const [index, argument] of args.entries()) words.set(address + 8 + 8 * index, argumentValue(argument, layout));
  const rest = address + 8 + 8 * MAX_ARGUMENTS;
  const unread = returns === 'never' ? NOWHERE : SCRATCH_ADDRESS;
  words.set(rest, save === undefined ? unread : layout.resultSlot(save.name));
  words.set(rest + 8, labelAddress(onError, address, layout));
  words.set(rest + 16, labelAddress(onZero, address, layout));
}

function labelAddress(label: string, from: number, layout: Layout): number {
  if (label === NEXT) return 0;
  const [, count] = /^skip (\d+)$/.exec(label) ?? [];
  if (count !== undefined) return operationAt(from + (Number(count) + 1) * OPERATION_SIZE, layout);
  const address = layout.labels.get(label);
  if (address === undefined) throw new RangeError(`No block '${label}' in the tape`);
  return address;
}

function operationAt(address: number, { operations }: Layout): number {
  if ([...operations.values()].includes(address)) return address;
  throw new RangeError(`No operation at 0x${address.toString(16)} of the tape`);
}

function argumentValue(argument: Argument, layout: Layout): number | bigint {
  if (typeof argument === 'number' || typeof argument === 'bigint') return argument;
  switch (argument.type) {
    case 'value':
    case 'flags':
      return argument.value;
    case 'failure':
      return FAILURE_ADDRESS;
    case 'result':
      return 0; // filled in by the operation that saves it
    case 'slot':
      return layout.resultSlot(argument.name);
    case 'zone':
      return argument.part === 'start' ? layout.childZone.start : layout.childZone.size;
    case 'inside':
      return insideAddress(argument, layout);
    case 'text':
    case 'bytes':
    case 'words':
      return layout.addressOf(argument);
  }
}

function insideAddress({ of, offset }: Inside, layout: Layout): number {
  if (offset < 0 || offset >= of.bytes.length)
    throw new RangeError(`Offset ${offset} is outside ${of.bytes.length} bytes`);
  return layout.addressOf(of) + offset;
}
