// How layers are kept, as people say it.

/** `auto` is EROFS where it works and there is memory for it, else extraction. */
export type UnpackMode = 'auto' | 'extract' | 'erofs';
export const UNPACK_MODES = ['auto', 'extract', 'erofs'] as const satisfies readonly UnpackMode[];

/** Undefined stays so. Throws RangeError on what is no mode. */
export function parseUnpackMode(text: string | undefined): UnpackMode | undefined {
  if (text === undefined) return undefined;
  const mode = UNPACK_MODES.find((known) => known === text);
  if (mode !== undefined) return mode;
  throw new RangeError(`'${text}' is no way to unpack: ${UNPACK_MODES.join(', ')}`);
}
