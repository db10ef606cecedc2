// npm run bench [-- NAME…] [--json] [--runs N]
//   without NAME: all, and docs/benchmarks.md is written
//   --json: rows {name, unit, berth, peer, peerName, ratio, …} on standard output, everything else on standard error
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { format, resolveConfig } from 'prettier';

import { changeBench } from './benches/change.ts';
import { execBench } from './benches/exec.ts';
import { hundredBench } from './benches/hundred.ts';
import { memoryBench } from './benches/memory.ts';
import { networkBench } from './benches/network.ts';
import { ociBench } from './benches/oci.ts';
import { parallelBench } from './benches/parallel.ts';
import { pullBench } from './benches/pull.ts';
import { runCommandBench } from './benches/run-command.ts';
import { startBench } from './benches/start.ts';
import { versionBench } from './benches/version.ts';
import { asMarkdown, rowsAsText, type Result } from './report.ts';
import { inScene } from './scene.ts';

const BENCHES = [
  startBench,
  execBench,
  ociBench,
  parallelBench,
  networkBench,
  runCommandBench,
  versionBench,
  changeBench,
  hundredBench,
  pullBench,
  memoryBench,
];
const DOCUMENT = new URL('../../docs/benchmarks.md', import.meta.url);
const DEFAULT_RUNS = '100';

function say(text: string): void {
  console.error(`  ${text}`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: DEFAULT_RUNS } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    throw new Error(`No benchmark '${unknown.join("', '")}'; there are ${BENCHES.map(({ name }) => name).join(', ')}`);
  }
  if (process.getuid?.() !== 0) throw new Error('Benchmarks start containers: run them as root');
  const wanted = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const results: Result[] = [];
  for (const bench of wanted) {
    const alone = wanted.length === 1;
    if (alone) console.error(`${bench.name}: ${bench.what}`);
    const rows = await (alone ? measured(bench, Number(values.runs)) : inItsOwnProcess(bench, values.runs));
    if (rows === undefined) continue;
    results.push({ bench, rows });
    if (!values.json) console.log(rowsAsText(rows));
  }
  if (values.json)
    console.log(
      JSON.stringify(
        results.flatMap(({ rows }) => rows),
        null,
        2,
      ),
    );
  else if (positionals.length === 0) await writeDocument(results);
}

/** The rows of one benchmark. One that fails is told of, and does not take the others with it; the exit code is 1 then. */
async function measured(bench: Result['bench'], runs: number): Promise<Result['rows'] | undefined> {
  try {
    return await inScene(bench, { runs, say });
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
    return undefined;
  }
}

/** A process that prepares itself for many starts cannot go back, and one that has run for long runs faster. */
async function inItsOwnProcess({ name }: Result['bench'], runs: string): Promise<Result['rows'] | undefined> {
  const program = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [program, name, '--json', '--runs', runs], {
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  const [rows] = await Promise.all([json(child.stdout), once(child, 'exit')]);
  if (child.exitCode === 0) return rows as Result['rows'];
  process.exitCode = 1;
  return undefined;
}

/** As `npm run format` would leave it. */
async function writeDocument(results: readonly Result[]): Promise<void> {
  const options = await resolveConfig(fileURLToPath(DOCUMENT));
  writeFileSync(DOCUMENT, await format(asMarkdown(results), { ...options, parser: 'markdown' }));
}

try {
  await main();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
