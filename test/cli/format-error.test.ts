import test from 'ava';

import { CommandFailure } from '../../src/cli/failure.ts';
import { formatError } from '../../src/cli/format-error.ts';
import { OciError } from '../../src/oci/error.ts';

const plain = { debug: false };

test('an error is one line, without a stack', (t) => {
  t.is(formatError(new Error('Cannot do it'), plain), 'berth: Cannot do it\n');
  t.is(formatError('thrown text', plain), 'berth: thrown text\n');
});

test('a hint stands below, every line of it indented', (t) => {
  const error = new CommandFailure('No such thing', { hint: 'Try this\nor that' });
  t.is(formatError(error, plain), 'berth: No such thing\n       Try this\n       or that\n');
});

test('a known code has a hint of its own', (t) => {
  const text = formatError(new OciError('REGISTRY_UNAUTHORIZED', 'Cannot pull x: 401'), plain);
  t.regex(text, /docker login/);
  t.regex(formatError(Object.assign(new Error('mkdir'), { code: 'EACCES' }), plain), /root/);
});

test('with BERTH_DEBUG the stack and the causes are there', (t) => {
  const text = formatError(new Error('outer', { cause: new Error('inner') }), { debug: true });
  t.regex(text, /at .*format-error\.test\.ts/);
  t.regex(text, /inner/);
});

test('a message from elsewhere cannot drive the terminal', (t) => {
  t.false(formatError(new Error('a\u001B[31mb'), plain).includes('\u001B'));
});
