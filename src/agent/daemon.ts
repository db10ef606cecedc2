// `berth agent`: from a configuration to a running agent, and to its end. The containers run on when it ends: that is the contract.
import { mkdirSync } from 'node:fs';

import { setOomScoreAdj } from '../linux/oom-score.ts';
import { forbidDumps } from '../linux/prctl.ts';
import { openHost } from '../oci/host.ts';
import { confinedCgroup } from '../oci/pod/cgroup-path.ts';
import { prepareForMany } from '../oci/runtime/prepare-for-many.ts';
import { takeAgentLock } from './agent-lock.ts';
import { buildAgent, type Agent } from './agent.ts';
import { collectAfterBoot } from './boot-garbage.ts';
import type { AgentConfig } from './config.ts';
import { controlHandlers } from './control-handlers.ts';
import { serveControl } from './control-server.ts';
import { watchEventLoop } from './event-loop-lag.ts';
import { serveHttp } from './http.ts';
import { beginUpkeep } from './machine/upkeep.ts';
import { formatAddress, isLoopback } from './listen-address.ts';
import type { Log } from './log.ts';
import type { SourceHook } from './open-sources.ts';
import { controlSocketPath } from './places.ts';
import { unsettledReasons } from './unsettled.ts';
import { berthVersion } from './version.ts';
import type { WebhookHandler } from './webhook.ts';

/** When memory runs out, a container is to go before the agent that starts it again. Containers get 0 (generate-config.ts). */
const OOM_SCORE = -900;

/**
 * Run the agent until `signal` aborts, or with `once` until everything is as declared. Resolves with what is not as it should
 * be at the end of `once`: nothing, if all is. Rejects with AgentRunning, ListenError, or what opening the host throws.
 */
export async function runAgent(config: AgentConfig, log: Log, signal: AbortSignal): Promise<readonly string[]> {
  const { places } = config;
  for (const directory of [places.root, places.state]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  using _lock = takeAgentLock(places);
  forbidDumps();
  const isProtected = setOomScoreAdj(OOM_SCORE);
  const host = openHost(places, {
    unpack: config.unpack,
    onPhase: (phase, ms) => agent.metrics.startPhase(phase, ms),
  });
  await prepareForMany(host.runtime, confinedCgroup(places));
  const agent: Agent = buildAgent(host, config, log);
  await using services = await serve(config, agent, log);
  log.info('agent started', {
    version: berthVersion(),
    pid: process.pid,
    sources: agent.sources.rows().map(({ name }) => name),
    ...places,
    oomProtected: isProtected,
    listen: services.listen,
  });
  using _upkeep = beginUpkeep(host, {
    onError: (error) => log.warn('upkeep failed', { error: error instanceof Error ? error.message : String(error) }),
  });
  using _garbage = collectAfterBoot();
  using _lag = watchEventLoop(agent.metrics.eventLoopLag);
  const reasons = await reconcile(agent, config, signal);
  await agent.flushed();
  log.info('agent stopped, containers run on', {});
  return reasons;
}

/** Follow the sources until told to stop. */
async function reconcile(agent: Agent, config: AgentConfig, signal: AbortSignal): Promise<readonly string[]> {
  const { reconciler, machine, sources } = agent;
  const done = new AbortController();
  await machine.adopt();
  const running = reconciler.run(AbortSignal.any([signal, done.signal]));
  try {
    if (!config.once) return [];
    await Promise.race([reconciler.settled(), running]);
    return signal.aborted ? ['interrupted'] : unsettledReasons(sources.rows(), reconciler.status());
  } finally {
    if (config.once) done.abort();
    await running;
    machine.close();
  }
}

type Services = AsyncDisposable & { readonly listen: string };

async function serve(config: AgentConfig, agent: Agent, log: Log): Promise<Services> {
  await using open = new AsyncDisposableStack();
  const control = await serveControl(controlSocketPath(config.places), controlHandlers(agent));
  open.defer(() => control.close());
  if (config.listen === undefined) return { listen: 'off', ...moved(open) };
  const http = await serveHttp({
    address: config.listen,
    metrics: agent.metrics,
    hooks: await hookHandler(agent.hooks),
    unready: () => agent.sources.silent().map((name) => `source ${name} has not been read yet`),
    onError: (error) => log.error('request failed', { error: error instanceof Error ? error.stack : String(error) }),
  });
  open.defer(() => http.close());
  if (!isLoopback(http.address)) {
    log.warn('metrics can be read from other machines, without a password', { listen: formatAddress(http.address) });
  }
  return { listen: formatAddress(http.address), ...moved(open) };
}

/** Loaded only where a source has a hook. */
async function hookHandler(hooks: readonly SourceHook[]): Promise<WebhookHandler | undefined> {
  if (hooks.length === 0) return undefined;
  const { webhookHandler } = await import('./webhook.ts');
  const { readSecret } = await import('../reconcile/git-credentials.ts');
  const called = hooks.map(({ name, secretFile, sources }) => ({
    name,
    secret: () => readSecret(secretFile),
    onCall: () => sources.forEach((source) => source.hurry?.()),
  }));
  return webhookHandler(called, () => performance.now());
}

function moved(stack: AsyncDisposableStack): AsyncDisposable {
  const owned = stack.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
