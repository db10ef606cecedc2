import test from 'ava';

import { printOperation } from '../../../src/linux/tape/print.ts';
import { type Lower, overlayOperations } from '../../../src/oci/runtime/overlay-operations.ts';

const HEX = 'ab'.repeat(32);
const image = (name: string): Lower => ({
  directory: '/proc/1/fd/9',
  mountPoint: `/r/layers/${name}`,
  image: 'layer.erofs',
  tar: 'layer.tar',
});

function calls(lowers: readonly Lower[]): string[] {
  const overlay = { lowers, upper: '/r/pods/u', work: '/r/pods/w', base: '/r/layers' };
  return overlayOperations(overlay, '/s').map(printOperation);
}

test('layers that are directories of the base are named relative to it', (t) => {
  t.deepEqual(calls(['/r/layers/b/root', '/r/layers/a/root']), [
    'chdir("/r/layers")',
    'mount("overlay", "/s", "overlay", MS_NODEV, "lowerdir=b/root:a/root,upperdir=/r/pods/u,workdir=/r/pods/w")',
  ]);
});

test('layers that are images are mounted on their own directories first, one call each', (t) => {
  const flags = 'MS_RDONLY|MS_NOSUID|MS_NODEV';
  t.deepEqual(calls([image('b'), '/r/layers/a/root']), [
    'chdir("/r/layers")',
    `mount("b/layer.erofs", "b", "erofs", ${flags}, "device=b/layer.tar")`,
    'mount("overlay", "/s", "overlay", MS_NODEV, "lowerdir=b:a/root,upperdir=/r/pods/u,workdir=/r/pods/w,xino=auto")',
  ]);
});

test('layers that the agent holds are named as it sees them, and need no call', (t) => {
  t.deepEqual(calls(['/proc/7/fd/21', '/r/layers/a/root']), [
    'chdir("/r/layers")',
    'mount("overlay", "/s", "overlay", MS_NODEV, "lowerdir=/proc/7/fd/21:a/root,upperdir=/r/pods/u,workdir=/r/pods/w,xino=auto")',
  ]);
});

test('more images than a page has room for are mounted, then opened and named by number', (t) => {
  const many = calls(Array.from({ length: 70 }, (_, index) => image(`${HEX}${index}`)));
  t.is(many.filter((call) => call.includes('"erofs"')).length, 70);
  t.is(many.filter((call) => call.startsWith('openat(')).length, 70);
  const numbers = Array.from({ length: 70 }, (_, index) => 768 + index);
  t.deepEqual(many.slice(-3), [
    'chdir("/proc/self/fd")',
    `mount("overlay", "/s", "overlay", MS_NODEV, "lowerdir=${numbers.join(':')},upperdir=/r/pods/u,workdir=/r/pods/w,xino=auto")`,
    'close_range(768, 837, 0)',
  ]);
});
