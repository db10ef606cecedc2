import test from 'ava';
import * as fc from 'fast-check';
import assert from 'node:assert';

import { isOciError } from '../../../src/oci/error.ts';
import { lookUpUser, parseId } from '../../../src/oci/runtime/user.ts';

const files = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nbroken line\nodd:x:99999999999:0::/:\n',
  group: 'root:x:0:\nweb:x:33:app,other\naudio:x:29:app\n',
};

const looksUp = test.macro<[spec: string, uid: number, gid: number, groups: readonly number[], home: string]>({
  exec(t, spec, uid, gid, groups, home) {
    t.deepEqual(lookUpUser(spec, files), { user: { uid, gid, additionalGids: [...groups] }, home });
  },
  title: (_, spec) => `user '${spec}' is looked up in the image's files`,
});

test(looksUp, '', 0, 0, [], '/root');
test(looksUp, 'app', 1000, 1001, [33, 29], '/home/app');
test(looksUp, '1000', 1000, 1001, [33, 29], '/home/app');
test(looksUp, '1234', 1234, 0, [], '/');
test(looksUp, 'app:web', 1000, 33, [], '/home/app');
test(looksUp, '5:6', 5, 6, [], '/');

for (const spec of ['nobody', 'app:nogroup', '4294967295', '99999999999', '-1', '007', '1000x', '0x0']) {
  test(`user '${spec}' is an error, never root (SEC-12)`, (t) => {
    const error = t.throws(() => lookUpUser(spec, files));
    t.true(isOciError(error, 'CONFIG_INVALID'));
  });
}

test('an id is an exact decimal up to 4294967294', (t) => {
  t.is(parseId('4294967294'), 4294967294);
  t.is(parseId('4294967295'), undefined);
  t.is(parseId('01'), undefined);
});

test('whatever the image writes into passwd, the look-up answers or refuses', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (spec, passwd, group) => {
        try {
          const { user } = lookUpUser(spec, { passwd, group });
          assert.ok(user.uid >= 0 && user.uid <= 4294967294 && user.gid >= 0 && user.gid <= 4294967294);
        } catch (error) {
          assert.ok(isOciError(error, 'CONFIG_INVALID'));
        }
      }),
    ),
  );
});
