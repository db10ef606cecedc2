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
    for (const { operations: calls } of blocks) for (const { args } of calls) end = placeContents(args, end, items);
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

/** Give what `args` point at an address from `end` on, each once. Returns the new end. */
function placeContents(args: readonly Argument[], end: number, items: Map<unknown, Item>): number {
  let free = end;
  for (const argument of args) {
    const content = contentOf(argument);
    if (content === undefined) continue;
    const key = keyOf(content);
    if (!items.has(key)) {
      items.set(key, { content, address: free });
      free = roundUp(free + sizeOf(content), 8);
    }
    if (content.type === 'words') free = placeContents(content.words, free, items);
  }
  return free;
}

function contentOf(argument: Argument): Content | undefined {
  if (typeof argument !== 'object') return undefined;
  switch (argument.type) {
    case 'text':
    case 'bytes':
    case 'words':
      return argument;
    case 'inside':
      return argument.of;
    default:
      return undefined;
  }
}

/** Find the one place that reads each result, and check that it runs after the place that saves it. */
function resultSlots(
  operations: ReadonlyMap<Operation, number>,
  addressOf: (content: Content) => number,
): (name: string) => number {
  const slots = new Map<string, number>();
  const saved = new Set<string>();
  const noteSave = (name: string): void => {
    if (saved.has(name)) throw new RangeError(`Result '${name}' is saved twice`);
    saved.add(name);
  };
  const noteReads = (args: readonly Argument[], start: number): void => {
    for (const [index, argument] of args.entries()) {
      if (typeof argument !== 'object') continue;
      if (argument.type === 'words') noteReads(argument.words, addressOf(argument));
      if (argument.type === 'slot') noteSave(argument.name);
      if (argument.type !== 'result') continue;
      if (slots.has(argument.name)) throw new RangeError(`Result '${argument.name}' is read twice`);
      if (!saved.has(argument.name)) throw new RangeError(`Result '${argument.name}' is read before it is saved`);
      slots.set(argument.name, start + 8 * index);
    }
  };
  for (const [{ args, save }, address] of operations) {
    noteReads(args, address + 8);
    if (save !== undefined) noteSave(save.name);
  }
  return (name) => {
    const slot = slots.get(name);
    if (slot === undefined) throw new RangeError(`Result '${name}' is saved and never read`);
    return slot;
  };
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
