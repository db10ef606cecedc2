import test from 'ava';

import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  parsePlatform,
  platformDistance,
} from '../../../src/oci/image/platform.ts';
import { OCI_MANIFEST } from '../../../src/oci/image/media-type.ts';
import { digestOf } from '../../../src/oci/image/digest.ts';
import type { Descriptor } from '../../../src/oci/image/manifest.ts';

function descriptors(...platforms: readonly (string | undefined)[]): readonly Descriptor[] {
  return platforms.map((text, at) => ({
    mediaType: OCI_MANIFEST,
    digest: digestOf(Buffer.from([at])),
    size: 1,
    platform: text === undefined ? undefined : parsePlatform(text),
  }));
}

type Case = {
  readonly offers: readonly (string | undefined)[];
  readonly arch: string;
  readonly chosen: string | undefined;
};

const cases: Readonly<Record<string, Case>> = {
  'the plain architecture is chosen': { offers: ['linux/arm64', 'linux/amd64'], arch: 'x64', chosen: 'linux/amd64' },
  'arm64 without a variant is v8': { offers: ['linux/arm/v7', 'linux/arm64'], arch: 'arm64', chosen: 'linux/arm64' },
  'arm64 takes v8': { offers: ['linux/arm64/v8'], arch: 'arm64', chosen: 'linux/arm64/v8' },
  'arm64 does not take v9': { offers: ['linux/arm64/v9'], arch: 'arm64', chosen: undefined },
  'arm v7 prefers v7': {
    offers: ['linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7'],
    arch: 'arm',
    chosen: 'linux/arm/v7',
  },
  'arm v7 falls back to v6 before v5': {
    offers: ['linux/arm/v5', 'linux/arm/v6'],
    arch: 'arm',
    chosen: 'linux/arm/v6',
  },
  'arm64 is not given 32-bit arm': { offers: ['linux/arm/v7'], arch: 'arm64', chosen: undefined },
  'amd64 does not take v3': { offers: ['linux/amd64/v3'], arch: 'x64', chosen: undefined },
  'amd64 passes over v3 for the baseline': {
    offers: ['linux/amd64/v3', 'linux/amd64'],
    arch: 'x64',
    chosen: 'linux/amd64',
  },
  'another system is not taken': { offers: ['windows/amd64'], arch: 'x64', chosen: undefined },
  'attestations are passed over': { offers: ['unknown/unknown', 'linux/amd64'], arch: 'x64', chosen: 'linux/amd64' },
  'nothing fits an empty index': { offers: [], arch: 'x64', chosen: undefined },
};

for (const [title, { offers, arch, chosen }] of Object.entries(cases)) {
  test(title, (t) => {
    const found = choosePlatform(descriptors(...offers), hostPlatform(arch));
    t.is(found?.platform === undefined ? undefined : formatPlatform(found.platform), chosen);
  });
}

test('of equals, the first of the index is chosen', (t) => {
  const [first, second] = descriptors('linux/amd64', 'linux/amd64');
  t.is(
    choosePlatform(
      [first, second].filter((one) => one !== undefined),
      hostPlatform('x64'),
    ),
    first,
  );
});

test('the only entry of an index may leave its platform out, one of several may not', (t) => {
  t.truthy(choosePlatform(descriptors(undefined), hostPlatform('x64')));
  t.is(choosePlatform(descriptors(undefined, undefined), hostPlatform('x64')), undefined);
});

test('variants that are not versions fit only themselves', (t) => {
  const odd = { os: 'linux', architecture: 'mips', variant: 'softfloat' };
  t.is(platformDistance(odd, odd), 0);
  t.is(platformDistance(odd, { ...odd, variant: 'v1' }), undefined);
});
