// Files → a tar archive in memory: the ustar format of POSIX, with fixed times, so that equal files give equal bytes.

/** Something that lies in an image. Missing parent directories are made, 0755. */
export type ImageFile =
  | { readonly path: string; readonly content: string | Uint8Array; readonly mode?: number }
  | { readonly path: string; readonly directory: true; readonly mode?: number }
  | { readonly path: string; readonly linkTo: string };

const BLOCK = 512;
const NAME_SIZE = 100;
const PREFIX_SIZE = 155;
const END = Buffer.alloc(2 * BLOCK);

/** The archive of these files, in the order given. Throws RangeError when a name does not fit into ustar. */
export function tarArchive(files: readonly ImageFile[]): Buffer {
  return Buffer.concat([...withParents(files).flatMap(entryOf), END]);
}

function withParents(files: readonly ImageFile[]): ImageFile[] {
  const known = new Set<string>();
  return files.flatMap((file) => {
    const path = file.path.replace(/^\/+|\/+$/g, '');
    const parts = path.split('/').slice(0, -1);
    const parents = parts.map((_, index) => parts.slice(0, index + 1).join('/')).filter((parent) => !known.has(parent));
    if (known.has(path)) return [];
    for (const name of [...parents, path]) known.add(name);
    return [...parents.map((parent): ImageFile => ({ path: parent, directory: true })), { ...file, path }];
  });
}

function entryOf(file: ImageFile): Buffer[] {
  if ('directory' in file) return [header({ name: `${file.path}/`, type: '5', mode: file.mode ?? 0o755, size: 0 })];
  if ('linkTo' in file) {
    return [header({ name: file.path, type: '2', mode: 0o777, size: 0, link: file.linkTo })];
  }
  const content = Buffer.from(file.content);
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return [header({ name: file.path, type: '0', mode: file.mode ?? 0o644, size: content.length }), content, padding];
}

type Header = {
  readonly name: string;
  readonly type: '0' | '2' | '5';
  readonly mode: number;
  readonly size: number;
  readonly link?: string;
};

function header({ name, type, mode, size, link = '' }: Header): Buffer {
  const block = Buffer.alloc(BLOCK);
  const { prefix, rest } = splitName(name);
  if (Buffer.byteLength(link) > NAME_SIZE) throw new RangeError(`Link target '${link}' is too long for ustar`);
  const octal = (value: number, offset: number, digits: number): void => {
    block.write(value.toString(8).padStart(digits, '0'), offset);
  };
  block.write(rest, 0);
  octal(mode, 100, 7);
  octal(0, 108, 7); // uid
  octal(0, 116, 7); // gid
  octal(size, 124, 11);
  octal(0, 136, 11); // mtime
  block.write(' '.repeat(8), 148);
  block.write(type, 156);
  block.write(link, 157);
  block.write('ustar\x0000', 257);
  block.write(prefix, 345);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** A name of more than 100 bytes is cut at a slash into prefix and rest. */
function splitName(name: string): { prefix: string; rest: string } {
  if (Buffer.byteLength(name) <= NAME_SIZE) return { prefix: '', rest: name };
  for (let cut = name.indexOf('/'); cut > 0; cut = name.indexOf('/', cut + 1)) {
    const prefix = name.slice(0, cut);
    const rest = name.slice(cut + 1);
    if (rest !== '' && Buffer.byteLength(rest) <= NAME_SIZE && Buffer.byteLength(prefix) <= PREFIX_SIZE) {
      return { prefix, rest };
    }
  }
  throw new RangeError(`Name '${name}' is too long for ustar`);
}
