// The options of an overlay file system, from layers and writable directories. Pure. overlayfs.rst in the kernel's docs.

export type Overlay = {
  /** Uppermost first; at least one. */
  readonly lowers: readonly string[];
  /** Undefined: read-only. */
  readonly writable?: {
    readonly upper: string;
    /** On the same file system as `upper`, and empty at first. */
    readonly work: string;
    /**
     * Never sync the upper directory, not even when the overlay is unmounted: for writable layers that need not outlive
     * the boot. The kernel then refuses to mount the same `upper` again until `work/work/incompat` is removed.
     */
    readonly volatile?: boolean;
  };
};

/** One parameter of fsconfig(2); a flag has no value. */
export type OverlayOption = { readonly key: string; readonly value?: string };

/** Most layers that overlayfs stacks (OVL_MAX_STACK). */
export const MOST_LAYERS = 500;
/** fsconfig(2) copies at most this much of a value, and its closing zero. */
const FSCONFIG_VALUE_BYTES = 255;
/** mount(2) takes a page of options, and their closing zero. */
const MOUNT_DATA_BYTES = 4095;

/** With one `lowerdir+` per layer: Linux 6.8, no limit on the length of all together. */
export function overlayOptions(overlay: Overlay): OverlayOption[] {
  return [...overlay.lowers.map((value) => ({ key: 'lowerdir+', value })), ...otherOptions(overlay)];
}

/** With one `lowerdir` for all: every kernel. Undefined when it is longer than fsconfig(2) takes. */
export function joinedOverlayOptions(overlay: Overlay): OverlayOption[] | undefined {
  const value = joinLowers(overlay.lowers);
  const options = [{ key: 'lowerdir', value }, ...otherOptions(overlay)];
  const fits = options.every((option) => Buffer.byteLength(option.value ?? '') <= FSCONFIG_VALUE_BYTES);
  return fits ? options : undefined;
}

/** The option string of mount(2), in which commas are escaped too. Undefined when it is longer than a page. */
export function overlayMountData(overlay: Overlay): string | undefined {
  const options: OverlayOption[] = [{ key: 'lowerdir', value: joinLowers(overlay.lowers) }, ...otherOptions(overlay)];
  const data = options
    .map(({ key, value }) => (value === undefined ? key : `${key}=${value.replaceAll(',', String.raw`\,`)}`))
    .join(',');
  return Buffer.byteLength(data) <= MOUNT_DATA_BYTES ? data : undefined;
}

function otherOptions({ writable }: Overlay): OverlayOption[] {
  if (writable === undefined) return [];
  const { upper, work, volatile = false } = writable;
  const options: OverlayOption[] = [
    { key: 'upperdir', value: upper },
    { key: 'workdir', value: work },
  ];
  if (volatile) options.push({ key: 'volatile' });
  return options;
}

/** A colon separates layers, so one in a path is escaped, and the backslash that escapes it. */
function joinLowers(lowers: readonly string[]): string {
  return lowers.map((path) => path.replaceAll(/[\\:]/g, (character) => `\\${character}`)).join(':');
}
