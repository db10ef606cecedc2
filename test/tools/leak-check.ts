// The leak check of .ci/run over everything that bears berth's name on the machine:
//   node test/tools/leak-check.ts save FILE       remember what exists
//   node test/tools/leak-check.ts compare FILE    exit with 1 and say what is there now that was not
import { readFileSync, writeFileSync } from 'node:fs';

import { assertNoLeaksSince, snapshot, type Snapshot } from '../system/leaks.ts';

const [action, file = ''] = process.argv.slice(2);

if (action === 'save') {
  writeFileSync(file, JSON.stringify(snapshot()));
} else if (action === 'compare') {
  try {
    await assertNoLeaksSince(JSON.parse(readFileSync(file, 'utf8')) as Snapshot);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
} else {
  console.error('usage: leak-check.ts save|compare FILE');
  process.exitCode = 2;
}
