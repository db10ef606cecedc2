import test from 'ava';

import { refusal } from '../../../../src/oci/image/erofs/support.ts';

test('kernels that would panic are not tried', (t) => {
  for (const release of ['6.12.0', '6.12.1-arm64']) t.regex(refusal(release, false) ?? '', /crashes/);
  for (const release of ['5.15.0-91-generic', '6.1.0-18-amd64', '6.12.2', '6.12.43+deb13-amd64', '6.13.0', '7.0.0'])
    t.is(refusal(release, false), undefined);
});

test('where SELinux would deny containers their own files, layers are extracted', (t) => {
  t.regex(refusal('6.12.43', true) ?? '', /SELinux/);
  t.is(refusal('6.16.0', true), undefined);
  t.is(refusal('7.1.2', true), undefined);
});
