// Where everything of a tape lies in memory: decided here, written by assemble.ts.
import { DATA_ADDRESS, FIRST_OPERATION_ADDRESS, OPERATION_SIZE } from './machine-code.ts';
import type { Argument, Block, Bytes, Operation, Tape, Text, Words } from './operation.ts';

type Content = Text | Bytes | Words;
export type Item = { readonly content: Content; readonly address: number };

export type Layout = {
  /** In the order of memory. */
  readonly operations: ReadonlyMap<Operation, number>;
  readonly labels: ReadonlyMap<string, number>;
  readonly items: readonly Item[];
  /** Bytes from DATA_ADDRESS to the end. */
  readonly size: number;
  readonly childZone: { readonly start: number; readonly size: number };
  /** Address of a piece of data. Equal strings share one place. */
  readonly addressOf: (content: Content) => number;
  /** Address of the one argument that reads the result. */
  readonly resultSlot: (name: string) => number;
};

const MAX_SIZE = 16 * 1024 * 1024; // argv, env and a filter fit many times; more is a mistake

/** Give every operation, label and piece of data an address. Throws RangeError where the tape is not sound. */
export function placeTape(tape: Tape, pageSize: number): Layout {
  const operations = new Map<Operation, number>();
  const labels = new Map<string, number>();
  const items = new Map<unknown, Item>();
  let end = FIRST_OPERATION_ADDRESS;
  let childStart = 0;
  for (const zone of ['parent', 'child'] as const) {
    if (zone === 'child') end = childStart = roundUp(end, pageSize);
    const blocks = tape.blocks.filter((block) => block.zone === zone);
    end = placeOperations(blocks, end, operations, labels);
    for (const content of blocks.flatMap(contentsOf)) {
      if (items.has(keyOf(content))) continue;
      items.set(keyOf(content), { content, address: end });
      end = roundUp(end + sizeOf(content), 8);
    }
  }
  if (end - DATA_ADDRESS > MAX_SIZE) throw new RangeError(`Tape '${tape.name}' is larger than ${MAX_SIZE} bytes`);
  const addressOf = (content: Content): number => {
    const item = items.get(keyOf(content));
    if (item === undefined) throw new RangeError(`Data that was not placed: ${content.type}`);
    return item.address;
  };
  return {
    operations,
    labels,
    items: [...items.values()],
    size: end - DATA_ADDRESS,
    childZone: { start: childStart, size: roundUp(end - childStart, pageSize) },
    addressOf,
    resultSlot: resultSlots(operations, addressOf),
  };
}

function placeOperations(
  blocks: readonly Block[],
  start: number,
  operations: Map<Operation, number>,
  labels: Map<string, number>,
): number {
  let address = start;
  for (const block of blocks) {
    if (labels.has(block.label)) throw new RangeError(`Two blocks '${block.label}' in one tape`);
    labels.set(block.label, address);
    for (const operation of block.operations) {
      if (operations.has(operation)) throw new RangeError(`Operation '${operation.what}' stands twice in the tape`);
      operations.set(operation, address);
      address += OPERATION_SIZE;
    }
  }
  return address;
}

/** Find the one place that reads each result, and check that it runs after the place that saves it. */
function resultSlots(
  operations: ReadonlyMap<Operation, number>,
  addressOf: (content: Content) => number,
): (name: string) => number {
  const slots = new Map<string, number>();
  const saved = new Set<string>();
  for (const [operation, address] of operations) {
    for (const [name, slot] of readsOf(operation.args, address + 8, addressOf)) {
      if (slots.has(name)) throw new RangeError(`Result '${name}' is read twice`);
      if (!saved.has(name)) throw new RangeError(`Result '${name}' is read before it is saved`);
      slots.set(name, slot);
    }
    if (operation.save === undefined) continue;
    if (saved.has(operation.save.name)) throw new RangeError(`Result '${operation.save.name}' is saved twice`);
    saved.add(operation.save.name);
  }
  return (name) => {
    const slot = slots.get(name);
    if (slot === undefined) throw new RangeError(`Result '${name}' is saved and never read`);
    return slot;
  };
}

function readsOf(
  args: readonly Argument[],
  start: number,
  addressOf: (content: Content) => number,
): (readonly [string, number])[] {
  return args.flatMap((argument, index) => {
    if (typeof argument !== 'object') return [];
    if (argument.type === 'result') return [[argument.name, start + 8 * index] as const];
    if (argument.type === 'words') return readsOf(argument.words, addressOf(argument), addressOf);
    return [];
  });
}

function contentsOf(block: Block): readonly Content[] {
  return block.operations.flatMap((operation) => operation.args.flatMap(contentsOfArgument));
}

function contentsOfArgument(argument: Argument): readonly Content[] {
  if (typeof argument !== 'object') return [];
  if (argument.type === 'words') return [argument, ...argument.words.flatMap(contentsOfArgument)];
  if (argument.type === 'inside') return [argument.of];
  return argument.type === 'text' || argument.type === 'bytes' ? [argument] : [];
}

function keyOf(content: Content): unknown {
  return content.type === 'text' ? content.text : content;
}

function sizeOf(content: Content): number {
  switch (content.type) {
    case 'text':
      if (content.text.includes('\0'))
        throw new RangeError(`A string with a NUL byte: ${JSON.stringify(content.text)}`);
      return Buffer.byteLength(content.text) + 1;
    case 'bytes':
      return content.bytes.length;
    case 'words':
      return 8 * content.words.length;
  }
}

function roundUp(number: number, unit: number): number {
  return Math.ceil(number / unit) * unit;
}
