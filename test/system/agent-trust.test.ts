// An agent that asks seldom, hears of a push by its hook, takes only signed commits, and goes back for nobody, whoever restarts it.
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import baseTest from 'ava';

import { container, pod, yaml } from './agent-manifests.ts';
import { agentUnusable, newAgentScene, type AgentScene } from './agent-process.ts';
import { gitMissing, newGitPlace, serveGit, type GitPlace } from './git-server.ts';
import { commitSigned, newSshSigner } from './git-signers.ts';

const reason = agentUnusable() ?? gitMissing();
const test = reason === undefined ? baseTest : baseTest.skip;
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;
const SECRET = 'a secret of the hook';

test(`a hook brings a signed commit at once; unsigned and rewritten ones change nothing, after a restart too${skipped}`, async (t) => {
  const place = await newGitPlace(t);
  const ann = newSshSigner(place, 'ann');
  const [signers, secret] = [join(place.directory, 'signers'), join(place.directory, 'secret')];
  writeFileSync(signers, `ann@example.test ${ann.publicKey}\n`);
  writeFileSync(secret, `${SECRET}\n`, { mode: 0o600 });
  await place.write({ 'web.yaml': web('one') });
  const first = commitSigned(place, ann, 'One');
  const url = await serveGit(t, join(place.directory, 'served'));
  const scene = newAgentScene(t, 'trust');
  const config = join(scene.home, 'agent.yaml');
  const source = { source: `${url}/app.git#main`, verify: 'ssh', signers, hook: 'fleet', hookSecret: secret };
  writeFileSync(config, JSON.stringify({ sources: [source, scene.source], pollSeconds: 3600 }));
  const start = () => scene.startAgent({ sources: [], args: ['--config', config] });
  await start();
  await scene.ready('web');
  t.is(await revision(scene), first);

  t.is((await call(scene, 'wrong')).status, 401);
  await place.write({ 'web.yaml': web('two') });
  const second = commitSigned(place, ann, 'Two');
  t.is((await call(scene, SECRET)).status, 202);
  await scene.until('the second commit', async () => ((await revision(scene)) === second ? true : undefined));
  await scene.ready('web');
  const pid = scene.container('web/main')?.pid;

  await place.write({ 'web.yaml': web('three') });
  await call(scene, SECRET);
  const unsigned = await problem(scene, /is not signed/);
  t.regex(unsigned, /takes only what a key in .*signers has signed \(verify=ssh\)/);
  t.regex(
    (await scene.http('/metrics')).text,
    /^berth_source_failures_total\{source="[^"]*",code="SOURCE_UNSIGNED"\} 1$/m,
  );

  await scene.endAgent('SIGKILL');
  rewrite(place, first);
  commitSigned(place, ann, 'Instead of two');
  await start();
  t.regex(await problem(scene, /does not come after/), new RegExp(second));
  t.is(scene.container('web/main')?.pid, pid, 'what ran runs on');
  const failures = (await scene.journal()).filter(({ event }) => event === 'sourceFailed');
  t.true(failures.some(({ message = '' }) => message.includes('allowRollback')));
});

/** Put the branch back, so that what comes next is a sibling of what was there. */
function rewrite(place: GitPlace, commit: string): void {
  place.git('reset', '--quiet', '--hard', commit);
}

function web(greeting: string): string {
  return yaml(pod('web', [container('main', { env: [{ name: 'GREETING', value: greeting }] })]));
}

function call(scene: AgentScene, secret: string): ReturnType<AgentScene['http']> {
  const body = '{"ref":"refs/heads/main"}';
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return scene.http('/hooks/fleet', {
    method: 'POST',
    body,
    headers: { 'x-hub-signature-256': `sha256=${signature}` },
  });
}

async function revision(scene: AgentScene): Promise<string | undefined> {
  return (await scene.status())?.sources[0]?.revision;
}

function problem(scene: AgentScene, pattern: RegExp): Promise<string> {
  return scene.until(`a problem like ${pattern}`, async () => {
    const text = (await scene.status())?.sources[0]?.problem ?? '';
    return pattern.test(text) ? text : undefined;
  });
}
