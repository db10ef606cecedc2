// node test/security/run-mutants.ts [SEC-N]…: each weakened berth in a copy of the checkout, where the test of its requirement must
// fail; without the edit it must pass. Prints a line a mutant; exits with 1 when one went unnoticed. Needs root, as the tests do.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const TEST_TIMEOUT_MS = 120_000;

type Result = 'passed' | 'failed' | 'not run';
type Verdict = { readonly ok: boolean; readonly said: string };

/** The files that git knows or does not ignore, in a directory of their own. */
function copyCheckout(): string {
  const copy = mkdtempSync(join(tmpdir(), 'berth-mutant-'));
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: CHECKOUT,
    encoding: 'utf8',
  });
  for (const path of list.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(CHECKOUT, path), join(copy, path), { force: true });
  }
  symlinkSync(join(CHECKOUT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Whether the tests of that title ran, and what came of them. */
function runTest(copy: string, { test, title }: Mutant): Result {
  const config = test.startsWith('test/system/') ? ['--config', 'test/system/ava.config.js'] : [];
  const args = [join(copy, 'node_modules/ava/entrypoints/cli.js'), ...config, '--tap', '--match', `*${title}*`, test];
  const { stdout, status } = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: 'utf8',
    timeout: TEST_TIMEOUT_MS,
  });
  const lines = stdout.split('\n').filter((line) => /^(not )?ok \d/.test(line));
  if (lines.every((line) => line.includes('# SKIP'))) return 'not run';
  return lines.some((line) => line.startsWith('not ok')) || status !== 0 ? 'failed' : 'passed';
}

function withEdit<T>(copy: string, { file, before, after }: Mutant, work: () => T): T {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    source.replace(before, () => after),
  );
  try {
    return work();
  } finally {
    writeFileSync(path, source);
  }
}

function judge(copy: string, mutant: Mutant, healthy: Result): Verdict {
  if (healthy !== 'passed')
    return { ok: false, said: `the test ${healthy === 'failed' ? 'fails anyway' : 'did not run'}` };
  const weakened = withEdit(copy, mutant, () => runTest(copy, mutant));
  return weakened === 'failed'
    ? { ok: true, said: 'noticed' }
    : { ok: false, said: `NOT NOTICED: the test ${weakened}` };
}

function main(wanted: readonly string[]): number {
  const mutants = MUTANTS.filter(({ requirement }) => wanted.length === 0 || wanted.includes(requirement));
  const copy = copyCheckout();
  const healthy = new Map<string, Result>();
  let unnoticed = 0;
  try {
    for (const mutant of mutants) {
      const key = `${mutant.test} ${mutant.title}`;
      if (!healthy.has(key)) healthy.set(key, runTest(copy, mutant));
      const { ok, said } = judge(copy, mutant, healthy.get(key) ?? 'not run');
      if (!ok) unnoticed += 1;
      process.stdout.write(`${mutant.requirement.padEnd(7)} ${mutant.weakness}: ${said}\n`);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  process.stdout.write(`${mutants.length - unnoticed} weakened builds noticed, ${unnoticed} not\n`);
  return unnoticed === 0 && mutants.length > 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
