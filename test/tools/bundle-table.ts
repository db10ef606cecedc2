// A table of the bundles that berth-oci, runc and crun all run, and where one of them is not like berth: as Markdown.
// test/system/oci-cli-peers.test.ts holds it to be true.
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

import type { Case } from '../system/oci-case.ts';
import { FILE_CASES } from '../system/oci-file-cases.ts';
import { HOOK_CASES } from '../system/oci-hook-cases.ts';
import { MOUNT_CASES } from '../system/oci-mount-cases.ts';
import { NAMESPACE_CASES } from '../system/oci-namespace-cases.ts';
import { PROCESS_CASES } from '../system/oci-process-cases.ts';
import { SECCOMP_CASES } from '../system/oci-seccomp-cases.ts';

const CASES: Readonly<Record<string, Case>> = {
  ...PROCESS_CASES,
  ...NAMESPACE_CASES,
  ...FILE_CASES,
  ...MOUNT_CASES,
  ...HOOK_CASES,
  ...SECCOMP_CASES,
};

/** The rows, and how many bundles each runtime runs as berth does. Pure. */
export function bundleTable(cases: Readonly<Record<string, Case>>): string {
  const rows = Object.entries(cases).map(([name, { differs = {}, codes }]) => [
    name,
    codes === 'failure' ? 'an error' : 'runs',
    differs.runc ?? '=',
    differs.crun ?? '=',
  ]);
  const same = (column: number): string =>
    `${rows.filter((row) => row[column] === '=').length} of ${rows.length} alike`;
  const lines = [
    ['bundle', 'berth', 'runc', 'crun'],
    ['---', '---', '---', '---'],
    ...rows,
    ['', '', same(2), same(3)],
  ];
  return `${lines.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`;
}

if (argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(bundleTable(CASES));
