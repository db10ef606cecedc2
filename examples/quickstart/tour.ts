// A tour of berth in half a minute: a Deployment starts, changes when its YAML is edited, heals when it is killed, and shows in
// Prometheus metrics. Everything lives in one temporary directory, and goes with it.
import { readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { nodeImage } from './image/node-image.ts';
import { layoutArchive } from './image/oci-image.ts';
import { freePort, TourMachine, type Row } from './machine.ts';
import { command, heading, note, outcome, output } from './screen.ts';

const REPLICAS = 2;
/** Metrics that are shown, and the labels that tell their lines apart. */
const METRICS =
  /^(berth_containers|berth_workload_condition|container_restarts_total|container_memory_working_set_bytes)\{.*(state="running"|type="Ready",status="True"|name="web).*/gm;
const LABELS = /\b(state|workload|type|status|name)="[^"]*"/g;

type Tour = {
  readonly machine: TourMachine;
  readonly manifest: string;
  readonly web: string;
  readonly metrics: string;
};

const beside = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

async function ask(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  return (await response.text()).trim();
}

async function makeImage({ machine }: Tour): Promise<void> {
  heading('1. An image, made of the Node that runs this: no registry needed');
  const started = performance.now();
  const archive = layoutArchive(nodeImage({ reference: 'localhost/server:1', script: beside('server.mjs') }));
  await writeFile(join(machine.source, 'images', 'server.oci.tar'), archive);
  outcome(`source/images/server.oci.tar, ${Math.round(archive.length / 1e6)} MB`, started);
}

async function startDeployment({ machine, manifest, web, metrics }: Tour, port: number): Promise<void> {
  heading(`2. A Deployment of ${REPLICAS} replicas`);
  const started = performance.now();
  writeFileSync(manifest, beside('web.yaml').replace("'8080'", `'${port}'`));
  const { host } = new URL(metrics);
  command(`berth agent --source source --listen ${host} &`);
  machine.startAgent(host);
  await machine.until('the first answer', () => ask(web));
  await machine.until('both replicas', () => replicas(machine));
  outcome('imported, unpacked, started, serving', started);
  command('berth ps');
  output(await machine.berth('ps'));
  command(`curl ${web}`);
  output(await ask(web));
}

async function replicas(machine: TourMachine): Promise<Row[] | undefined> {
  const rows = await machine.containers();
  return rows.length === REPLICAS ? rows : undefined;
}

async function editManifest({ machine, manifest, web }: Tour): Promise<void> {
  heading('3. Change the greeting in source/web.yaml');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('GREETING: Hello', 'GREETING: Ahoy'));
  command("sed -i 's/Hello/Ahoy/' source/web.yaml");
  const started = performance.now();
  const answer = await machine.until('the new greeting', async () => {
    const text = await ask(web);
    return text.startsWith('Ahoy') ? text : undefined;
  });
  outcome(answer, started);
  await machine.until('both replicas to change', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(web)));
    return answers.every((answer) => answer.startsWith('Ahoy')) ? replicas(machine) : undefined;
  });
}

async function killContainer({ machine }: Tour): Promise<void> {
  heading('4. Kill a container');
  const victim = (await machine.until('both replicas', () => replicas(machine)))[0];
  if (victim === undefined) return;
  command(`kill -9 ${victim.pid}   # ${victim.name}`);
  const started = performance.now();
  process.kill(victim.pid, 'SIGKILL');
  const healed = await machine.until('it to heal', async () =>
    (await replicas(machine))?.find(({ name, pid }) => name === victim.name && pid !== victim.pid),
  );
  outcome(`${healed.name} runs again, pid ${healed.pid}`, started);
}

async function showMetrics({ metrics }: Tour): Promise<void> {
  heading('5. What Prometheus sees');
  command(`curl ${metrics}`);
  const lines = (await ask(metrics)).match(METRICS) ?? [];
  output(lines.map(shortened).join('\n'));
  note('… and many more, with more labels: docs/metrics.md');
}

function shortened(line: string): string {
  const [name = ''] = line.split('{');
  return `${name}{${line.match(LABELS)?.join(',') ?? ''}} ${line.split(' ').at(-1)}`;
}

async function waitForInterrupt({ manifest, web }: Tour, interrupted: AbortSignal): Promise<void> {
  heading('It keeps running: edit the file, kill things, watch it heal. Ctrl-C ends the tour and removes everything.');
  note(manifest);
  note(web);
  const keepAlive = setInterval(() => {}, 60_000);
  await new Promise((resolve) => {
    interrupted.addEventListener('abort', resolve, { once: true });
    if (interrupted.aborted) resolve(undefined);
  });
  clearInterval(keepAlive);
}

async function run(interrupted: AbortSignal): Promise<void> {
  await using machine = new TourMachine();
  const [port, metricsPort] = [await freePort(), await freePort()];
  const tour: Tour = {
    machine,
    manifest: join(machine.source, 'web.yaml'),
    web: `http://127.0.0.1:${port}/`,
    metrics: `http://127.0.0.1:${metricsPort}/metrics`,
  };
  note(`in ${machine.home}`);
  const steps = [makeImage, (of: Tour) => startDeployment(of, port), editManifest, killContainer, showMetrics];
  for (const step of steps) {
    await Promise.race([step(tour), aborted(interrupted)]);
    if (interrupted.aborted) break;
  }
  const watched = process.stdout.isTTY && process.stdin.isTTY && process.env['CI'] === undefined;
  if (watched && !process.argv.includes('--once') && !interrupted.aborted) await waitForInterrupt(tour, interrupted);
  heading('Cleaning up');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort());
// A reader that has gone (`| head`) ends the tour like Ctrl-C: there is something to put away.
process.stdout.on('error', () => interruption.abort());
try {
  await run(interruption.signal);
  note('containers, cgroups and files are gone');
} catch (error) {
  console.error(`\nquickstart: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
