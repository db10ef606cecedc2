import test from 'ava';

import { oomScoreAdj, setOomScoreAdj } from '../../src/linux/oom-score.ts';

test('the score of this process can be raised, and set back to what was inherited', (t) => {
  const inherited = oomScoreAdj();
  t.true(setOomScoreAdj(inherited + 1));
  t.is(oomScoreAdj(), inherited + 1);
  t.true(setOomScoreAdj(inherited));
  t.is(oomScoreAdj(), inherited);
});

test('a score below what was inherited is set or refused, and the answer says which', (t) => {
  const inherited = oomScoreAdj();
  const allowed = setOomScoreAdj(inherited - 1);
  t.is(oomScoreAdj(), allowed ? inherited - 1 : inherited);
  setOomScoreAdj(inherited);
});

test('a number that is no score is an error', (t) => {
  t.throws(() => setOomScoreAdj(5000), { code: 'EINVAL' });
});
