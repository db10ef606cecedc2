// Text of one file → its documents, as plain values with positions. YAML 1.2, of which JSON is a part.
import { Composer, Lexer, Parser, type CST, type Document } from 'yaml';

import type { ManifestDocument } from './document.ts';
import { errorInText, ManifestError } from './manifest-error.ts';
import { MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_ERRORS, MAX_FILE_BYTES, MAX_TOKENS } from './yaml/limits.ts';
import { plainValue, type Problem } from './yaml/plain-value.ts';
import { sourceText, type SourceText } from './yaml/source-text.ts';

export type ManifestFile = {
  /** What messages call the file. */
  readonly path: string;
  readonly text: string;
};

export type ReadManifests = {
  /** The documents without mistakes in their YAML; empty ones are left out. */
  readonly documents: readonly ManifestDocument[];
  readonly errors: readonly ManifestError[];
};

/** Read every document of a file. One broken document does not hide the others. Never throws. */
export function readManifests({ path, text }: ManifestFile): ReadManifests {
  const source = sourceText(path, text);
  const input = { source, confidential: SECRET_KIND.test(text) };
  const tokens = refuse(input) ?? tokenize(input);
  if (tokens instanceof ManifestError) return { documents: [], errors: [tokens] };

  const documents: ManifestDocument[] = [];
  const errors: ManifestError[] = [];
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    prettyErrors: false,
    uniqueKeys: false,
  });
  for (const parsed of composer.compose(tokens, true, text.length)) {
    const read = readDocument(parsed, input);
    documents.push(...read.documents);
    errors.push(...read.errors.slice(0, MAX_ERRORS));
  }
  return { documents, errors };
}

/** `confidential`: a Secret stands somewhere in the file, so no message about broken syntax may show a line of it. */
type Input = { readonly source: SourceText; readonly confidential: boolean };

const SECRET_KIND = /\bkind["']?\s*:\s*["']?Secret\b/i;

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

function refuse({ source, confidential }: Input): ManifestError | undefined {
  const bytes = Buffer.byteLength(source.text);
  if (bytes > MAX_FILE_BYTES) {
    return wholeFile(source, `The file is too large: ${bytes} bytes, at most ${MAX_FILE_BYTES}`);
  }
  const at = source.text.search(CONTROL);
  if (at === -1) return undefined;
  const code = source.text.charCodeAt(at).toString(16).padStart(4, '0').toUpperCase();
  const message = `The control character U+${code} is not allowed in YAML`;
  return errorInText(source, { span: { start: at, end: at + 1 }, confidential }, message);
}

/** What yaml's lexer inserts between the pieces of the text: start of a document, of flow content, of a scalar. */
const MARKERS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f']);

/**
 * The concrete syntax. yaml's composer recurses, so nesting is bounded here, where its parser still has an explicit
 * stack: one entry for the document, one for each open collection and one for the scalar.
 */
function tokenize({ source, confidential }: Input): CST.Token[] | ManifestError {
  const tokens: CST.Token[] = [];
  const parser = new Parser();
  let count = 0;
  let offset = 0;
  for (const lexeme of new Lexer().lex(source.text)) {
    tokens.push(...parser.next(lexeme));
    count++;
    if (count > MAX_TOKENS) return wholeFile(source, `The file is too complex: more than ${MAX_TOKENS} YAML tokens`);
    if (parser.stack.length > 2 * MAX_DEPTH) {
      const message = `Too deep: objects and lists nest at most ${MAX_DEPTH} levels`;
      return errorInText(source, { span: { start: offset, end: offset + 1 }, confidential }, message);
    }
    if (!MARKERS.has(lexeme)) offset += lexeme.length;
  }
  return [...tokens, ...parser.end()];
}

function readDocument(parsed: Document.Parsed, input: Input): ReadManifests {
  const [start, , end] = parsed.range;
  const text = input.source.text.slice(start, end);
  const problems = [...syntaxProblems(parsed, text)];
  if (problems.length > 0) return refused(problems, input);
  if (parsed.contents === null) return { documents: [], errors: [] };

  const plain = plainValue(parsed.contents);
  if (plain.problems.length > 0) return refused(plain.problems, input);
  if (plain.value === null) return { documents: [], errors: [] };
  const { value, root, spans } = plain;
  const confidential = SECRET_KIND.test(text) || isSecret(value);
  return { documents: [{ source: input.source, value, spans, root, base: [], confidential }], errors: [] };
}

function* syntaxProblems({ errors, range, directives }: Document.Parsed, text: string): Iterable<Problem> {
  const span = { start: range[0], end: range[0] + 1 };
  for (const { pos, message } of errors.slice(0, MAX_ERRORS)) yield { span: { start: pos[0], end: pos[1] }, message };
  if (errors.length > 0) return;
  if (Buffer.byteLength(text) > MAX_DOCUMENT_BYTES) {
    yield { span, message: `The document is too large: at most ${MAX_DOCUMENT_BYTES} bytes` };
  }
  const { explicit, version } = directives.yaml;
  if (explicit === true && version !== '1.2') {
    yield { span, message: `YAML ${version} is not supported; drop the %YAML directive` };
  }
}

function refused(problems: readonly Problem[], { source, confidential }: Input): ReadManifests {
  const errors = problems
    .slice(0, MAX_ERRORS)
    .map(({ span, message }) => errorInText(source, { span, confidential }, message));
  return { documents: [], errors };
}

/** Escapes can hide the word from a look at the text. */
function isSecret(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if ('kind' in value && value.kind === 'Secret') return true;
  return 'items' in value && Array.isArray(value.items) && value.items.some(isSecret);
}

function wholeFile({ file }: SourceText, message: string): ManifestError {
  return new ManifestError({ file, line: 1, column: 1, path: '' }, message);
}
