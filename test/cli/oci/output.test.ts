// What berth-oci prints and logs: other programs read it.
import test from 'ava';

import { formatList } from '../../../src/cli/oci/commands/list.ts';
import { rowsOf } from '../../../src/cli/oci/commands/ps.ts';
import { errorText } from '../../../src/cli/oci/error-text.ts';
import { logLine } from '../../../src/cli/oci/runtime-log.ts';
import type { StateDocument } from '../../../src/cli/oci/state-document.ts';
import { TapeError } from '../../../src/linux/tape/failure.ts';
import { OciError } from '../../../src/oci/error.ts';

const time = new Date('2026-01-02T03:04:05.678Z');

test('a line of the log is JSON, or what logrus writes', (t) => {
  const entry = { level: 'error', message: 'a "word"\nand more', time } as const;
  t.deepEqual(JSON.parse(logLine('json', entry)), {
    level: 'error',
    msg: 'a "word"\nand more',
    time: '2026-01-02T03:04:05Z',
  });
  t.is(logLine('text', entry), 'time="2026-01-02T03:04:05Z" level=error msg="a \\"word\\"\\nand more"');
});

test('an error ends with the words of the kernel, once', (t) => {
  const missing = new TapeError({ call: 'execve', args: [], what: "run 'nope' from $PATH" }, 2);
  const failed = new OciError('START_FAILED', `Cannot start: ${missing.message}`, { cause: missing });
  t.regex(
    errorText(failed),
    /run 'nope' from \$PATH: ENOENT .*: executable file not found in \$PATH: no such file or directory$/,
  );
  t.regex(errorText(new TapeError({ call: 'faccessat', args: [], what: 'run x' }, 13)), /: permission denied$/);
  t.is(
    errorText(Object.assign(new Error('ENOENT: no such file or directory, open'), { errno: -2 })),
    'ENOENT: no such file or directory, open',
  );
  t.is(errorText(new OciError('CONTAINER_UNKNOWN', "Container 'x' does not exist")), "Container 'x' does not exist");
  t.is(errorText('text'), 'text');
});

const one: StateDocument = {
  ociVersion: '1.0.2',
  id: 'one',
  pid: 7,
  status: 'running',
  bundle: '/b',
  rootfs: '/b/rootfs',
  created: '2026-01-02T03:04:05.678Z',
  owner: 'root',
};

test('containers are listed as ids, a table, or JSON', (t) => {
  t.is(formatList([one], 'ids'), 'one\n');
  t.is(formatList([], 'ids'), '');
  t.is(formatList([], 'json'), 'null\n');
  t.deepEqual(JSON.parse(formatList([one], 'json')), [one]);
  t.deepEqual(
    formatList([one], 'table')
      .split('\n')
      .map((line) => line.split(/ +/)),
    [
      ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
      ['one', '7', 'running', '/b', '2026-01-02T03:04:05.678Z', 'root'],
      [''],
    ],
  );
});

test('of the table of ps the rows of the container are kept, whichever column has the pid', (t) => {
  const table = 'UID   PID  CMD\nroot    1  init\nroot   12  sh 7\nroot    7  cat 12\n';
  t.is(rowsOf(table, [12]), 'UID   PID  CMD\nroot   12  sh 7\n');
  t.is(rowsOf(table, []), 'UID   PID  CMD\n');
  t.throws(() => rowsOf('COMMAND\nsh\n', [1]), { message: /PID field/ });
});
