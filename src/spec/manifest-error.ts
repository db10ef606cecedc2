// What is wrong with a manifest, and where. The only error that leaves src/spec for something a user wrote.
import { lineOf, positionAt, type SourceText, type Span } from './yaml/source-text.ts';

/** The source line an error is about, cut to a readable width, with the part to underline. */
export type Excerpt = {
  readonly line: string;
  /** Where the underlined part begins in `line`, from 0. */
  readonly start: number;
  readonly width: number;
};

/** One mistake in one file. Line and column count from 1, in UTF-16 units as editors do. */
export class ManifestError extends Error {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The field, such as `spec.containers[0].image`; empty when the mistake is about the whole document. */
  readonly path: string;
  /** Undefined where the line is empty or may hold a secret, and for mistakes about a whole file. */
  readonly excerpt: Excerpt | undefined;

  constructor(at: { file: string; line: number; column: number; path: string; excerpt?: Excerpt }, message: string) {
    super(message);
    this.name = 'ManifestError';
    this.file = at.file;
    this.line = at.line;
    this.column = at.column;
    this.path = at.path;
    this.excerpt = at.excerpt;
  }
}

/** An error in one line: a ManifestError with its place. Without the source line: logs are read by more people than manifests. */
export function oneLineError(error: Error): string {
  if (!(error instanceof ManifestError)) return error.message;
  const { file, line, column, path, message } = error;
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;
}

/** A ManifestError about a stretch of text. `confidential` leaves the source line out of it. */
export function errorInText(
  source: SourceText,
  about: { readonly span: Span; readonly path?: string; readonly confidential: boolean },
  message: string,
): ManifestError {
  const position = positionAt(source, about.span.start);
  const place = { ...position, path: about.path ?? '' };
  const excerpt = about.confidential ? undefined : excerptOf(source, about.span);
  return new ManifestError(excerpt === undefined ? place : { ...place, excerpt }, message);
}

const WIDEST_LINE = 160;
const LEAD = 60;

function excerptOf(source: SourceText, span: Span): Excerpt | undefined {
  const { line, column } = positionAt(source, span.start);
  const whole = lineOf(source, line);
  const from = whole.length > WIDEST_LINE && column > LEAD ? column - LEAD : 0;
  const shown = whole.slice(from, from + WIDEST_LINE);
  if (shown.trim() === '') return undefined;
  const start = column - 1 - from;
  const room = Math.max(shown.trimEnd().length - start, 1);
  return { line: shown, start, width: Math.min(Math.max(span.end - span.start, 1), room) };
}

/** By file, then by place: the order in which a person repairs them. */
export function compareErrors(a: ManifestError, b: ManifestError): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  if (a.line !== b.line) return a.line - b.line;
  if (a.column !== b.column) return a.column - b.column;
  return a.message < b.message ? -1 : Number(a.message > b.message);
}
