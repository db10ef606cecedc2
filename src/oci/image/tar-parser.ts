// An incremental tar parser: bytes are pushed in, entries come out. The fastest form, for the layer unpacker.
// Limits are SEC-24: a hostile archive must not cost more memory than an honest one.
import { OciError } from '../error.ts';
import type { Extensions, TarHeader } from './tar-entry.ts';
import { NO_EXTENSIONS, tarEntry } from './tar-entry.ts';
import { BLOCK_BYTES, isZeroBlock, parseTarHeader, type RawTarHeader } from './tar-header.ts';
import { checkGlobalPax, formatPax, parsePax, type PaxRecords } from './tar-pax.ts';

export interface TarVisitor {
  /**
   * A new entry. Its body follows in `data` calls, then `end` is called; an entry without a body has only `end`.
   * `offset`: where in the archive the body begins, in bytes; always a multiple of 512.
   */
  entry(header: TarHeader, offset: number): void;
  /** A piece of the body: a view of the pushed bytes, valid during the call. */
  data(bytes: Buffer): void;
  end(): void;
  /** What fills up the last block of a body, in pieces. Zeros, in every honest archive. */
  padding?(bytes: Buffer): void;
}

export type TarLimits = {
  readonly entries: number;
  /** Longest name or link target, in bytes. */
  readonly nameBytes: number;
  /** Longest extended header, in bytes. */
  readonly extendedBytes: number;
};

export const TAR_LIMITS: TarLimits = { entries: 2_000_000, nameBytes: 4096, extendedBytes: 1 << 20 };

type Meta = 'x' | 'g' | 'L' | 'K';
const META: ReadonlySet<string> = new Set<Meta>(['x', 'g', 'L', 'K']);

const MOST_GLOBALS = 32;
const EMPTY = Buffer.alloc(0);

/** Push bytes in any pieces, then `finish`. After an error the parser must not be used again. */
export class TarParser {
  readonly #visitor: TarVisitor;
  readonly #limits: TarLimits;
  #entries = 0;
  /** Bytes of the headers and bodies so far, the present one included. */
  #position = 0;
  /** The start of a header block that was cut by the end of a chunk. */
  #carry: Buffer = EMPTY;
  /** Body bytes still to come, and the zeros that fill up its last block. */
  #body = 0;
  #padding = 0;
  /** The extended header whose body is being read, and its pieces. */
  #meta: Meta | undefined;
  #metaParts: Buffer[] = [];
  #global: PaxRecords | undefined;
  #extensions: Extensions = NO_EXTENSIONS;
  #inBody = false;
  #zeroBlocks = 0;

  constructor(visitor: TarVisitor, limits: TarLimits = TAR_LIMITS) {
    this.#visitor = visitor;
    this.#limits = limits;
  }

  /** Whether the two zero blocks were seen: what follows is ignored, as by every other reader. */
  get ended(): boolean {
    return this.#zeroBlocks >= 2;
  }

  /** Bytes still to come of the body that is being read. */
  get pendingBody(): number {
    return this.#inBody ? this.#body : 0;
  }

  /** Take the next bytes. Throws OciError TAR_INVALID, or what the visitor throws. */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length && !this.ended) {
      if (this.#inBody) offset = this.#takeBody(chunk, offset);
      else if (this.#padding > 0) offset = this.#skipPadding(chunk, offset);
      else offset = this.#takeHeader(chunk, offset);
    }
  }

  /** All bytes are in. Throws OciError TAR_INVALID when the archive stops in the middle of something. */
  finish(): void {
    if (this.ended) return;
    // An end without zero blocks is common enough (and accepted by other readers) when it is between entries.
    if (this.#inBody || this.#padding > 0 || this.#carry.length > 0 || this.#extensions !== NO_EXTENSIONS) {
      throw invalid('it ends in the middle of an entry');
    }
  }

  #takeHeader(chunk: Buffer, offset: number): number {
    if (this.#carry.length === 0 && chunk.length - offset >= BLOCK_BYTES) {
      this.#header(chunk, offset);
      return offset + BLOCK_BYTES;
    }
    const end = Math.min(chunk.length, offset + BLOCK_BYTES - this.#carry.length);
    const block = Buffer.concat([this.#carry, chunk.subarray(offset, end)]);
    this.#carry = block.length < BLOCK_BYTES ? block : EMPTY;
    if (block.length === BLOCK_BYTES) this.#header(block, 0);
    return end;
  }

  #header(block: Buffer, offset: number): void {
    this.#position += BLOCK_BYTES;
    if (block[offset] === 0 && isZeroBlock(block, offset)) {
      this.#zeroBlocks++;
      return;
    }
    if (this.#zeroBlocks > 0) throw invalid('something follows a lone block of zeros');
    const raw = parseTarHeader(block, offset);
    if (++this.#entries > this.#limits.entries) throw invalid(`it has more than ${this.#limits.entries} entries`);
    if (isMeta(raw.typeflag)) this.#beginMeta(raw, raw.typeflag);
    else this.#beginEntry(raw);
  }

  #beginMeta(raw: RawTarHeader, meta: Meta): void {
    const limit = meta === 'L' || meta === 'K' ? this.#limits.nameBytes + 1 : this.#limits.extendedBytes;
    if (raw.size < 0 || raw.size > limit)
      throw invalid(`an extended header is of ${raw.size} bytes, more than ${limit}`);
    this.#meta = meta;
    this.#beginBody(raw.size);
  }

  #beginEntry(raw: RawTarHeader): void {
    const extensions = this.#global === undefined ? this.#extensions : withGlobal(this.#global, this.#extensions);
    this.#extensions = NO_EXTENSIONS;
    const header = tarEntry(raw, extensions);
    const longest = Math.max(header.name.length, header.linkname.length);
    if (longest > this.#limits.nameBytes)
      throw invalid(`a name is of ${longest} bytes, more than ${this.#limits.nameBytes}`);
    this.#visitor.entry(header, this.#position);
    this.#beginBody(header.size);
  }

  #beginBody(size: number): void {
    this.#body = size;
    this.#padding = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
    this.#position += size + this.#padding;
    this.#inBody = true;
    if (size === 0) this.#endBody();
  }

  #takeBody(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#body);
    const bytes = chunk.subarray(offset, end);
    if (this.#meta === undefined) this.#visitor.data(bytes);
    else this.#metaParts.push(Buffer.from(bytes));
    this.#body -= end - offset;
    if (this.#body === 0) this.#endBody();
    return end;
  }

  #skipPadding(chunk: Buffer, offset: number): number {
    const skipped = Math.min(chunk.length - offset, this.#padding);
    this.#visitor.padding?.(chunk.subarray(offset, offset + skipped));
    this.#padding -= skipped;
    return offset + skipped;
  }

  #endBody(): void {
    this.#inBody = false;
    if (this.#meta === undefined) this.#visitor.end();
    else this.#endMeta(this.#meta);
  }

  #endMeta(meta: Meta): void {
    const body = Buffer.concat(this.#metaParts);
    this.#metaParts = [];
    this.#meta = undefined;
    if (meta === 'x') this.#extensions = { ...this.#extensions, records: parsePax(body) };
    else if (meta === 'g') this.#setGlobal(parsePax(body));
    else if (meta === 'L') this.#extensions = { ...this.#extensions, longName: untilZero(body) };
    else this.#extensions = { ...this.#extensions, longLink: untilZero(body) };
  }

  #setGlobal(records: PaxRecords): void {
    checkGlobalPax(records);
    const merged = new Map([...(this.#global ?? []), ...records]);
    // Each is applied to every entry, so a few of git's and pax's own is all that an archive may have.
    if (merged.size > MOST_GLOBALS) throw invalid(`its global headers have more than ${MOST_GLOBALS} records`);
    if (formatPax(merged).length > this.#limits.extendedBytes) throw invalid('its global headers are too long');
    this.#global = merged;
  }
}

function isMeta(typeflag: string): typeflag is Meta {
  return META.has(typeflag);
}

function withGlobal(global: PaxRecords, extensions: Extensions): Extensions {
  const { records } = extensions;
  return { ...extensions, records: records === undefined ? global : new Map([...global, ...records]) };
}

function untilZero(body: Buffer): string {
  const zero = body.indexOf(0);
  return body.toString('latin1', 0, zero < 0 ? body.length : zero);
}

function invalid(what: string): OciError {
  return new OciError('TAR_INVALID', `The tar archive is not valid: ${what}`);
}
