// A Git repository over http, followed end to end: a commit runs, a broken commit changes nothing, and so does a server that is gone.
import { join } from 'node:path';

import baseTest from 'ava';

import { container, deployment, pod, yaml } from './agent-manifests.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';
import { gitMissing, newGitPlace, serveGit } from './git-server.ts';

const reason = agentUnusable() ?? gitMissing();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

test(`a commit runs, a broken one changes nothing, and neither does a repository that is gone${skipped}`, async (t) => {
  const place = await newGitPlace(t);
  const other = yaml(pod('other', [container('main')]));
  await place.write({ 'deploy/web.yaml': web('ahoy'), 'deploy/other.yaml': other, 'README.yaml': 'not: for berth' });
  const url = await serveGit(t, join(place.directory, 'served'));
  const source = `${url}/app.git#main:deploy`;
  const scene = newAgentScene(t, 'git');
  await scene.startAgent({ sources: [source, scene.source], args: ['--poll-seconds', '1'] });
  await scene.ready('web', 'other');
  t.is(sourceOf(await scene.status(), source)?.revision, place.git('rev-parse', 'HEAD'));
  const before = pids(scene);

  await scene.afterRevision(() => place.write({ 'deploy/web.yaml': web('moored') }));
  await scene.until('web to change', () => (pids(scene)['web-0'] === before['web-0'] ? undefined : true));
  await scene.ready('web');
  const changed = pids(scene);
  t.is(changed['other'], before['other'], 'nothing else is touched');
  const good = place.git('rev-parse', 'HEAD');

  const refusal = await scene.afterRevision(() =>
    place.write({ 'deploy/web.yaml': web('sunk').replace('env', 'evn') }),
  );
  t.is(refusal.event, 'revisionRefused');
  const bad = place.git('rev-parse', 'HEAD');
  const { stdout } = await scene.berth('get', 'sources', '-o', 'json');
  const row = (JSON.parse(stdout) as { name: string; revision: string; problem?: string }[]).find(
    ({ name }) => name === source,
  );
  t.is(row?.revision, good, 'the good commit stays in force');
  t.regex(row?.problem ?? '', new RegExp(`^revision ${bad} is refused: web\\.yaml:1:\\d+: .*evn`));
  t.regex(scene.log, /revision refused, what ran before goes on.*web\.yaml:\d+:\d+/);
  t.deepEqual(pids(scene), changed);

  await place.write({ 'deploy/web.yaml': web('moored') });
  await scene.until('the mended commit', async () =>
    sourceOf(await scene.status(), source)?.revision === place.git('rev-parse', 'HEAD') ? true : undefined,
  );
  t.is(sourceOf(await scene.status(), source)?.problem, undefined);
  t.deepEqual(pids(scene), changed, 'the same manifests again: nothing to do');

  place.git('-C', place.bare, 'update-ref', '-d', 'refs/heads/main');
  await scene.until('the branch to be missed', async () => sourceOf(await scene.status(), source)?.problem);
  t.deepEqual(pids(scene), changed, 'all runs on');
  t.is((await scene.condition('web'))?.status, 'True');
});

function web(greeting: string): string {
  return yaml(
    deployment('web', { replicas: 1 }, [container('main', { env: [{ name: 'GREETING', value: greeting }] })]),
  );
}

type Status = Awaited<ReturnType<AgentScene['status']>>;

function sourceOf(status: Status, source: string): NonNullable<Status>['sources'][number] | undefined {
  return status?.sources.find(({ name }) => name === source);
}

/** The containers that run, by pod. */
function pids(scene: AgentScene): Readonly<Record<string, number>> {
  const running = scene.containers().filter(({ status }) => status === 'running');
  return Object.fromEntries(running.map(({ pod: name, pid }) => [name, pid]));
}
