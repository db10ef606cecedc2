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

/** What `onError` says to go on with the next operation. */
export const NEXT = 'next';
/** The block to go to on an error when an operation does not say. */
export const FAIL = 'fail';

/**
 * Lay a tape out for one architecture. `pageSize` in bytes is what the child's zone is aligned to.
 * Throws RangeError on an unknown call or label, a result read twice, never or before it is saved, or a string with NUL.
 */
export function assemble(tape: Tape, architecture: Architecture, pageSize = 4096): AssembledTape {
  const layout = placeTape(tape, pageSize);
  const data = Buffer.alloc(layout.size);
  const word = (address: number, number: number | bigint): void => writeWord(data, address - DATA_ADDRESS, number);
  for (const [operation, address] of layout.operations) {
    encodeOperation(operation, { layout, architecture }).forEach((number, index) => word(address + 8 * index, number));
  }
  for (const item of layout.items) {
    if (item.content.type === 'words') {
      item.content.words.forEach((argument, index) => word(item.address + 8 * index, argumentValue(argument, layout)));
    } else {
      data.set(
        item.content.type === 'text' ? Buffer.from(item.content.text) : item.content.bytes,
        item.address - DATA_ADDRESS,
      );
    }
  }
  return { data, operations: new Map([...layout.operations].map(([operation, address]) => [address, operation])) };
}

/** Two's complement, little endian. Numbers go without BigInt: there are a thousand of them in a tape. */
function writeWord(data: Buffer, offset: number, number: number | bigint): void {
  if (typeof number === 'bigint') {
    data.writeBigUInt64LE(BigInt.asUintN(64, number), offset);
    return;
  }
  data.writeInt32LE(number | 0, offset);
  data.writeInt32LE(Math.floor(number / 0x1_0000_0000) | 0, offset + 4);
}

type Target = { readonly layout: Layout; readonly architecture: Architecture };

function encodeOperation(operation: Operation, { layout, architecture }: Target): readonly (number | bigint)[] {
  const args = operation.args.map((argument) => argumentValue(argument, layout));
  while (args.length < 6) args.push(0);
  const save = operation.save === undefined ? SCRATCH_ADDRESS : layout.resultSlot(operation.save.name);
  const words = [
    syscallNumber(architecture, operation.call),
    ...args,
    save,
    labelAddress(operation.onError ?? FAIL, layout),
    labelAddress(operation.onZero ?? NEXT, layout),
  ];
  if (words.length * 8 !== OPERATION_SIZE) throw new RangeError(`${operation.call} has more than six arguments`);
  return words;
}

function labelAddress(label: string, layout: Layout): number {
  if (label === NEXT) return 0;
  const address = layout.labels.get(label);
  if (address === undefined) throw new RangeError(`No block '${label}' in the tape`);
  return address;
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
