// Headers of a tar to write: POSIX ustar, with a pax header where a name or size does not fit. No times, no owners: the
// same files give the same bytes.
const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
/** What eleven octal digits hold: 8 GiB. */
const LARGEST_OCTAL = 8 ** 11 - 1;

/** The header block of a regular file with mode 0644 (and the pax header before it, where one is needed). */
export function tarFileHeader(name: string, sizeBytes: number): Buffer {
  const records = [
    ...(Buffer.byteLength(name) > NAME_BYTES ? [paxRecord('path', name)] : []),
    ...(sizeBytes > LARGEST_OCTAL ? [paxRecord('size', String(sizeBytes))] : []),
  ].join('');
  const header = headerBlock({ name, sizeBytes, typeflag: '0' });
  if (records === '') return header;
  const body = Buffer.from(records);
  const pax = headerBlock({ name: 'PaxHeaders/file', sizeBytes: body.length, typeflag: 'x' });
  return Buffer.concat([pax, body, tarPadding(body.length), header]);
}

/** The zeros after a body, up to the next block. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** The two empty blocks that end an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK_BYTES);
}

type Header = { readonly name: string; readonly sizeBytes: number; readonly typeflag: '0' | 'x' };

function headerBlock({ name, sizeBytes, typeflag }: Header): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name, 0, NAME_BYTES);
  block.write([octal(0o644, 7), octal(0, 7), octal(0, 7), ''].join('\0'), 100);
  block.write(`${octal(Math.min(sizeBytes, LARGEST_OCTAL), 11)}\0${octal(0, 11)}\0`, 124);
  // The checksum counts its own field as spaces.
  block.write('        ', 148);
  block.write(typeflag, 156);
  block.write(['ustar', '00'].join('\0'), 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

// A record begins with its own length, of which the digits are part.
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  const digits = String(bytes + String(bytes).length).length;
  return `${bytes + digits}${rest}`;
}
