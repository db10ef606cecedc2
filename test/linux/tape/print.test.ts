import test from 'ava';

import { printTape } from '../../../src/linux/tape/print.ts';
import { assertGolden } from '../../assert-golden.ts';
import { everyArgumentTape } from './sample-tape.ts';

test('a tape prints as strace would show it, with results and jumps', (t) => {
  assertGolden(t, 'tape/every-argument.txt', printTape(everyArgumentTape()));
});
