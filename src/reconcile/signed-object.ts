// A commit or an annotated tag taken apart: what was signed, by which signature, and when. Pure.
// gitformat-signature(5); stricter than git where git would choose: one signature, or none is believed.
import { SourceError } from './source.ts';

export type SignatureFormat = 'ssh' | 'openpgp' | 'other';

export type SignedObject = {
  /** The bytes that the signature is over. */
  readonly payload: Buffer;
  readonly signature: string;
  readonly format: SignatureFormat;
  /** When the committer or tagger says it was made, in seconds since the epoch. */
  readonly madeAt: number;
};

const BEGIN = /^-----BEGIN (SSH SIGNATURE|PGP SIGNATURE|PGP MESSAGE|SIGNED MESSAGE)-----$/gm;

/** Undefined for a commit without a signature. Throws SourceError SOURCE_SIGNATURE_INVALID for an ambiguous one. */
export function parseSignedCommit(content: Buffer): SignedObject | undefined {
  const { headers, rest } = splitObject(content);
  const signatures = headers.filter(({ name }) => name.startsWith('gpgsig'));
  const [first] = signatures;
  if (first === undefined) return undefined;
  if (signatures.length > 1 || !/^gpgsig(-sha256)?$/.test(first.name)) throw ambiguous('commit');
  const signed = headers.filter((header) => header !== first).map(({ text }) => text);
  const signature = `${first.value.replace(/\n*$/, '')}\n`;
  const payload = Buffer.from(`${signed.join('')}${rest}`, 'latin1');
  return { payload, signature, format: formatOf(signature, 'commit'), madeAt: timeOf(headers, 'committer') };
}

/** The same for a tag, which must be called `name` (a full ref) and tag a commit: a signed tag is good for no other name. */
export function parseSignedTag(content: Buffer, name: string): SignedObject | undefined {
  const { headers } = splitObject(content);
  const text = content.toString('latin1');
  const found = [...text.matchAll(BEGIN)];
  const [first] = found;
  if (first === undefined) return undefined;
  if (found.length > 1 || headers.some((header) => header.name.startsWith('gpgsig'))) throw ambiguous('tag');
  const [called, type] = ['tag', 'type'].map((key) => only(headers, key, 'tag'));
  if (`refs/tags/${called}` !== name) throw invalid(`The tag that is signed is '${called}', and was given as ${name}`);
  if (type !== 'commit') throw invalid(`The tag ${name} is of a ${type}, not of a commit`);
  const signature = text.slice(first.index);
  const payload = Buffer.from(text.slice(0, first.index), 'latin1');
  return { payload, signature, format: formatOf(signature, 'tag'), madeAt: timeOf(headers, 'tagger') };
}

type Header = {
  readonly name: string;
  /** Without the blanks that continue a line. */
  readonly value: string;
  /** As it stands there, with its line ends. */
  readonly text: string;
};

/** Headers, and from the empty line on the rest. latin1 keeps every byte. */
function splitObject(content: Buffer): { readonly headers: readonly Header[]; readonly rest: string } {
  const text = content.toString('latin1');
  const end = text.indexOf('\n\n');
  const head = end === -1 ? text : text.slice(0, end + 1);
  const headers = (head.match(/^[^ \n].*\n(?: .*\n)*/gm) ?? []).map((one): Header => {
    const at = one.search(/[ \n]/);
    return { name: one.slice(0, at), value: one.slice(at + 1).replaceAll('\n ', '\n'), text: one };
  });
  if (headers.map((header) => header.text).join('') !== head)
    throw invalid('Its headers are not those of a Git object');
  return { headers, rest: text.slice(head.length) };
}

function timeOf(headers: readonly Header[], name: 'committer' | 'tagger'): number {
  const what = name === 'tagger' ? 'tag' : 'commit';
  const seconds = /> (\d{1,12}) [+-]\d{4}$/.exec(only(headers, name, what))?.[1];
  if (seconds === undefined) throw invalid(`The ${what} does not say when it was made`);
  return Number(seconds);
}

function only(headers: readonly Header[], name: string, what: string): string {
  const [first, ...others] = headers.filter((header) => header.name === name);
  if (first === undefined || others.length > 0) throw invalid(`The ${what} has not exactly one line '${name}'`);
  return first.value.trimEnd();
}

function formatOf(signature: string, what: string): SignatureFormat {
  const kinds = [...signature.matchAll(BEGIN)].map(([, kind]) => kind);
  if (kinds.length !== 1 || !signature.startsWith('-----BEGIN ')) throw ambiguous(what);
  if (kinds[0] === 'SSH SIGNATURE') return 'ssh';
  return kinds[0] === 'PGP SIGNATURE' ? 'openpgp' : 'other';
}

function ambiguous(what: string): SourceError {
  return invalid(`The ${what} has several signatures, or one that does not look like one`);
}

function invalid(message: string): SourceError {
  return new SourceError('SOURCE_SIGNATURE_INVALID', message);
}
