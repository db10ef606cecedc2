// ManifestErrors as people read them, in the manner of a compiler.
import type { ManifestError } from './manifest-error.ts';

/**
 * `file:line:column: path: message`, then the source line and a line of carets below the part that is wrong.
 * Control characters of the file are shown as `?`, so that a manifest cannot drive the terminal it is printed on.
 */
export function formatManifestError(error: ManifestError): string {
  const path = error.path === '' ? '' : `${printable(error.path)}: `;
  const head = `${printable(error.file)}:${error.line}:${error.column}: ${path}${printable(error.message)}`;
  if (error.excerpt === undefined) return head;
  const { line, start, width } = error.excerpt;
  const indent = printable(line.slice(0, start)).replaceAll(/[^\t]/gu, ' ');
  const carets = '^'.repeat(Math.max(Array.from(line.slice(start, start + width)).length, 1));
  return `${head}\n${printable(line)}\n${indent}${carets}`;
}

/** Every error in the order given, one after another. Empty for no errors. */
export function formatManifestErrors(errors: readonly ManifestError[]): string {
  return errors.map((error) => `${formatManifestError(error)}\n`).join('');
}

// C0 but for the tab, DEL, C1, and the characters that reorder what a terminal shows (Unicode's bidi controls).
const UNPRINTABLE =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, '?');
}
