// Rows as text for a terminal, and as docs/benchmarks.md.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

import { findProgram, programVersion } from './program.ts';
import type { Row } from './row.ts';
import type { Bench } from './scene.ts';

export type Result = { readonly bench: Bench; readonly rows: readonly Row[] };

const PEERS = ['crun', 'runc', 'ctr', 'podman', 'docker'];

/** A line a row, in columns. */
export function rowsAsText(rows: readonly Row[]): string {
  return rows
    .map((row) =>
      [
        row.name.padEnd(30),
        `${row.berth} ${row.unit}`.padStart(12),
        row.peerName === null ? '' : `${row.peerName} ${row.peer ?? '–'}`.padStart(22),
        row.ratio === null ? '' : `× ${row.ratio}`.padStart(9),
        row.peer === null && row.peerName !== null ? `  (${row.note})` : '',
      ].join(' '),
    )
    .join('\n');
}

/** The whole document: what was measured where, and a table for each benchmark. */
export function asMarkdown(results: readonly Result[]): string {
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench`; do not edit. Medians (p50) of runs in turn on one machine; a ratio below 1 means that berth',
    'takes less. `npm run bench -- NAME --json` prints the rows of one.',
    '',
    ...machineFacts().map((fact) => `- ${fact}`),
    '',
    ...results.flatMap(section),
  ].join('\n');
}

function section({ bench, rows }: Result): string[] {
  const notes = new Set(
    rows.filter((row) => row.peer !== null || row.peerName === null).flatMap(({ note }) => note ?? []),
  );
  return [
    `## ${bench.name}`,
    '',
    `${sentence(bench.what)}. Budget: ${bench.budget}.${[...notes].map((note) => ` ${sentence(note)}.`).join('')}`,
    '',
    '| what | berth p50 | p99 | peer | p50 | p99 | berth / peer | runs |',
    '| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |',
    ...rows.map(tableRow),
    '',
  ];
}

function tableRow(row: Row): string {
  const value = (number: number | null | undefined): string =>
    number === null || number === undefined ? '' : `${number} ${row.unit}`;
  const missing = row.peerName !== null && row.peer === null ? ` (not measured: ${row.note})` : '';
  const cells = [
    row.name,
    value(row.berth),
    value(row.berthP99),
    `${row.peerName ?? ''}${missing}`,
    value(row.peer),
    value(row.peerP99),
    row.ratio === null ? '' : String(row.ratio),
    String(row.runs),
  ];
  return `| ${cells.join(' | ')} |`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function machineFacts(): string[] {
  const [cpu] = cpus();
  const versions = PEERS.flatMap((name) => {
    const path = findProgram(name);
    return path === undefined ? [] : [programVersion(path)];
  });
  return [
    `Machine: ${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `System: Linux ${release()}, ${distribution()}, Node ${process.version}`,
    `Peers: ${versions.join('; ')}`,
    `Commit: ${commit()}`,
  ];
}

function distribution(): string {
  return /^PRETTY_NAME="(.*)"/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown distribution';
}

function commit(): string {
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', 'src') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}
