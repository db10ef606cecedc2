import test from 'ava';

import type { Output } from '../../src/cli/output/output.ts';
import { progressLines, ProgressView } from '../../src/cli/pull-progress.ts';

function output(isErrorTerminal: boolean): { readonly output: Output; readonly written: () => string } {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  return {
    written: () => text,
    output: {
      isTerminal: false,
      isErrorTerminal,
      errorColumns: () => 80,
      write: () => {},
      send: () => Promise.resolve(),
      line: () => {},
      note: (line) => write(`${line}\n`),
      writeError: write,
    },
  };
}

const layer = { reference: 'r', digest: 'sha256:0123456789abcdef', total: 2_000_000 } as const;

test('a bar is as long as what is done', (t) => {
  const bars = [0, 500_000, 1_999_999, 2_000_000].map((done) => {
    const [line = ''] = progressLines([{ ...layer, phase: 'download', done }], 200);
    return line.split('█').length - 1;
  });
  t.deepEqual(bars, [0, 6, 23, 24]);
});

test('an empty layer and one that grew beyond its size have a whole bar', (t) => {
  for (const [done, total] of [
    [0, 0],
    [20, 10],
  ] as const) {
    const [line = ''] = progressLines([{ ...layer, phase: 'download', done, total }], 200);
    t.true(line.includes('█'.repeat(24)));
  }
});

test('no line is as wide as the terminal', (t) => {
  for (const columns of [1, 20, 40]) {
    for (const line of progressLines([{ ...layer, phase: 'unpack', done: 1 }], columns)) t.true(line.length < columns);
  }
});

test('without a terminal a layer is told of once, when it is done', (t) => {
  const { output: stream, written } = output(false);
  using view = new ProgressView(stream);
  view.onProgress({ ...layer, phase: 'resolve', done: 0 });
  for (const done of [0, 1_000_000, 2_000_000]) view.onProgress({ ...layer, phase: 'download', done });
  view.onProgress({ ...layer, phase: 'unpack', done: 2_000_000 });
  view.onProgress({ ...layer, phase: 'done', done: 2_000_000 });
  view.onProgress({ ...layer, phase: 'done', done: 2_000_000 });
  t.is(written(), '0123456789ab 2MB\n');
});

test('on a terminal lines are drawn over those before them, and the last state stays', (t) => {
  const { output: stream, written } = output(true);
  {
    using view = new ProgressView(stream);
    view.onProgress({ ...layer, phase: 'download', done: 0 });
    view.onProgress({ ...layer, digest: 'sha256:fedcba9876543210', phase: 'download', done: 0 });
    view.onProgress({ ...layer, phase: 'done', done: 2_000_000 });
  }
  const last = written().split('\u001B[1A').at(-1) ?? '';
  t.regex(last, /0123456789ab .* done +2MB\n/);
  t.regex(last, /fedcba987654 .* downloading /);
});
