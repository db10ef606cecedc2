import test from 'ava';

import { joinedOverlayOptions, overlayMountData, overlayOptions } from '../../../src/oci/image/overlay-options.ts';

const writable = { upper: '/u', work: '/w' };

test('each layer is an option of its own, uppermost first, and no path needs an escape', (t) => {
  t.deepEqual(overlayOptions({ lowers: ['/a:b,c', '/d'], writable }), [
    { key: 'lowerdir+', value: '/a:b,c' },
    { key: 'lowerdir+', value: '/d' },
    { key: 'upperdir', value: '/u' },
    { key: 'workdir', value: '/w' },
  ]);
});

test('joined, colons and backslashes are escaped, and for mount(2) commas too', (t) => {
  const overlay = { lowers: [String.raw`/a:b\c,d`, '/e'] };
  t.deepEqual(joinedOverlayOptions(overlay), [{ key: 'lowerdir', value: String.raw`/a\:b\\c,d:/e` }]);
  t.is(overlayMountData(overlay), String.raw`lowerdir=/a\:b\\c\,d:/e`);
});

test('a volatile upper directory is a flag', (t) => {
  t.is(
    overlayMountData({ lowers: ['/a'], writable: { ...writable, volatile: true } }),
    'lowerdir=/a,upperdir=/u,workdir=/w,volatile',
  );
});

function lowers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `/l/${1000 + index}`);
}

test('what the kernel would cut is not offered to it', (t) => {
  t.truthy(joinedOverlayOptions({ lowers: lowers(30) }));
  t.is(joinedOverlayOptions({ lowers: lowers(40) }), undefined);
  t.truthy(overlayMountData({ lowers: lowers(400) }));
  t.is(overlayMountData({ lowers: lowers(600) }), undefined);
});
