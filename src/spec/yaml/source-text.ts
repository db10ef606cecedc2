// One file as the user wrote it, and where things stand in it.
import type { Position } from '../model.ts';

/** A stretch of the text: offsets in UTF-16 units, `end` not included. */
export type Span = { readonly start: number; readonly end: number };

export type SourceText = {
  readonly file: string;
  readonly text: string;
  /** The offset at which each line begins; never empty. */
  readonly lineStarts: readonly number[];
};

/** Index the lines of `text`. `file` is what messages call it. */
export function sourceText(file: string, text: string): SourceText {
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  return { file, text, lineStarts };
}

/** The line and column, both from 1, of an offset. An offset past the end stands at the end. */
export function positionAt({ file, text, lineStarts }: SourceText, offset: number): Position {
  const at = Math.min(Math.max(offset, 0), text.length);
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lineStarts[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return { file, line: low + 1, column: at - (lineStarts[low] ?? 0) + 1 };
}

/** Line number `line` (from 1) without its line break. */
export function lineOf({ text, lineStarts }: SourceText, line: number): string {
  const start = lineStarts[line - 1] ?? text.length;
  const next = lineStarts[line];
  const end = next === undefined ? text.length : next - 1;
  return text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end);
}
