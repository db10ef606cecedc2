// A tape as strace would show it: what will happen, before it happens.
import { formatFlags } from '../flags.ts';
import type { Argument, Operation, Tape } from './operation.ts';

const SHOWN_BYTES = 16;

/** The whole tape as text, a line an operation, block by block. Pure: the golden files are made of it. */
export function printTape(tape: Tape): string {
  return tape.blocks
    .map((block) =>
      [`${block.label}:`, ...block.operations.map((operation) => `  ${printOperation(operation)}`), ''].join('\n'),
    )
    .join('\n');
}

/** One operation: `mount("proc", "/proc", "proc", MS_NOSUID, NULL)`, its saved result, and its jumps. */
export function printOperation(operation: Operation): string {
  const call = `${operation.call}(${operation.args.map(printArgument).join(', ')})`;
  const save = operation.save === undefined ? '' : ` = <${operation.save.name}>`;
  const zero = operation.onZero === undefined ? '' : `  0 -> ${operation.onZero}`;
  const error = operation.onError === undefined ? '' : `  error -> ${operation.onError}`;
  return call + save + zero + error;
}

function printArgument(argument: Argument): string {
  if (typeof argument !== 'object') return String(argument);
  switch (argument.type) {
    case 'text':
      return JSON.stringify(argument.text);
    case 'flags':
      return formatFlags(argument.value, argument.names);
    case 'value':
      return argument.show;
    case 'bytes':
      return argument.show === '' ? printBytes(argument.bytes) : argument.show;
    case 'inside':
      return `${printArgument(argument.of)}+${argument.offset}`;
    case 'words':
      return argument.show === '' ? `{${argument.words.map(printArgument).join(', ')}}` : argument.show;
    case 'result':
      return `<${argument.name}>`;
    case 'slot':
      return `&<${argument.name}>`;
    case 'failure':
      return '<failure>';
    case 'zone':
      return `<child ${argument.part}>`;
  }
}

function printBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.subarray(0, SHOWN_BYTES)).toString('hex');
  return bytes.length > SHOWN_BYTES ? `${hex}… (${bytes.length} bytes)` : hex;
}
