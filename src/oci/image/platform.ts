// Which manifest of an index fits a machine. Pure.
import type { Descriptor, Platform } from './manifest.ts';

const ARCHITECTURES: ReadonlyMap<string, Platform> = new Map([
  ['x64', { os: 'linux', architecture: 'amd64', variant: 'v1' }],
  ['arm64', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
  ['arm', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['ia32', { os: 'linux', architecture: '386' }],
  ['ppc64', { os: 'linux', architecture: 'ppc64le' }],
  ['s390x', { os: 'linux', architecture: 's390x' }],
  ['riscv64', { os: 'linux', architecture: 'riscv64' }],
  ['loong64', { os: 'linux', architecture: 'loong64' }],
]);

// What a missing variant means (image-index.md, "Platform Variants", and Docker's builders).
const DEFAULT_VARIANT: ReadonlyMap<string, string> = new Map([
  ['amd64', 'v1'],
  ['arm64', 'v8'],
  ['arm', 'v7'],
]);

/** The platform of a machine, from Node's name of its architecture (`process.arch`). */
export function hostPlatform(arch: string = process.arch): Platform {
  return ARCHITECTURES.get(arch) ?? { os: 'linux', architecture: arch };
}

/** `linux/arm64/v8`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return `${os}/${architecture}${variant === undefined || variant === '' ? '' : `/${variant}`}`;
}

/** Parse `linux/arm64` or `linux/arm/v7`; undefined when it is neither. */
export function parsePlatform(text: string): Platform | undefined {
  const match = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9.]+))?$/.exec(text);
  const [os, architecture, variant] = [match?.[1], match?.[2], match?.[3]];
  return os === undefined || architecture === undefined ? undefined : { os, architecture, variant };
}

/**
 * How well an image for `offered` runs on `wanted`: `undefined` is not at all, 0 is exactly, and more is an older
 * variant, which the newer processor also runs.
 */
export function platformDistance(offered: Platform, wanted: Platform): number | undefined {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return undefined;
  const distance = variantLevel(wanted) - variantLevel(offered);
  if (Number.isNaN(distance)) return offered.variant === wanted.variant ? 0 : undefined;
  return distance >= 0 ? distance : undefined;
}

/**
 * The entry of an index for a machine: the closest variant, the first of equals. An index with one entry that names no
 * platform means that one. `undefined` when none fits.
 */
export function choosePlatform(manifests: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const [only] = manifests;
  if (manifests.length === 1 && only !== undefined && only.platform === undefined) return only;
  const fitting = manifests.flatMap((descriptor) => {
    const distance = descriptor.platform && platformDistance(descriptor.platform, wanted);
    return distance === undefined ? [] : [{ descriptor, distance }];
  });
  // Array.prototype.sort is stable: the order of the index decides between equals.
  return fitting.sort((a, b) => a.distance - b.distance)[0]?.descriptor;
}

function variantLevel({ architecture, variant }: Platform): number {
  const named = variant === undefined || variant === '' ? (DEFAULT_VARIANT.get(architecture) ?? 'v0') : variant;
  return /^v[0-9]+(\.[0-9]+)?$/.test(named) ? Number(named.slice(1)) : Number.NaN;
}
