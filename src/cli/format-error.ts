// An error as a person reads it: one line, what to do about it, and no stack unless asked for. Pure.
import { inspect } from 'node:util';

import { CommandFailure } from './failure.ts';
import { hintFor } from './hints.ts';
import { printable } from './output/printable.ts';

/** `berth: …` and perhaps a line with a hint. With `debug` (BERTH_DEBUG=1) the stack and every cause. */
export function formatError(error: unknown, { debug }: { readonly debug: boolean }): string {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof CommandFailure ? error.hint : hintFor(error);
  const lines = [`berth: ${printable(message)}`, ...(hint === undefined ? [] : [`       ${indent(hint)}`])];
  const details = debug ? `${inspect(error)}\n` : '';
  return `${lines.join('\n')}\n${details}`;
}

function indent(hint: string): string {
  return printable(hint).replaceAll('\n', '\n       ');
}
