import { runAgent } from '../../agent/daemon.ts';
import { resolveConfig, type AgentConfig } from '../../agent/config.ts';
import { openLog, type Log } from '../../agent/log.ts';
import { CommandFailure } from '../failure.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  usage: ['agent [--source DIR|GIT-URL]… [OPTIONS]'],
  description:
    'A source is a directory with Kubernetes YAML (and images in images/), or a Git URL: https://…, ssh://… or file://…,\n' +
    'with #BRANCH:DIRECTORY at its end; docs/sources.md has tags, versions, bundles, keys, signatures and hooks.\n' +
    'SIGTERM and Ctrl-C end the agent; the containers run on, and the next agent takes them over.\n' +
    'Environment: BERTH_SOURCE, BERTH_LISTEN, BERTH_LOG_FORMAT, BERTH_POLL_SECONDS, BERTH_CONFIG.',
  options: {
    source: { type: 'string', multiple: true, value: 'DIR|URL', help: 'What to follow; several times for several' },
    config: {
      type: 'string',
      value: 'FILE',
      help: 'YAML with sources, listen, logLevel, logFormat, pollSeconds, allowEmpty, unpack',
    },
    listen: {
      type: 'string',
      value: 'HOST:PORT',
      help: 'Serve /metrics, /healthz, /readyz (default 127.0.0.1:9473); off',
    },
    once: { type: 'boolean', help: 'End when everything is as declared; exit 1 and say why when it cannot be' },
    'allow-empty': { type: 'boolean', help: 'Let a source without any manifest remove all it declared before' },
    'poll-seconds': { type: 'string', value: 'N', help: 'How often a Git repository is asked (default 30)' },
    'log-format': { type: 'string', value: 'FORMAT', help: 'json or pretty (default: pretty on a terminal)' },
  },
  examples: [
    'berth agent --source /etc/berth/apps',
    'berth agent --source https://git.example.com/fleet.git#main:kitchen',
    'berth agent --source ./apps --once --listen off',
  ],
  arguments: { min: 0, max: 0 },
  run: async ({ values, globals, output }) => {
    const config = resolveConfig(
      {
        places: globals,
        config: values.config,
        sources: values.source,
        listen: values.listen,
        logLevel: globals.logLevel,
        logFormat: values['log-format'],
        pollSeconds: values['poll-seconds'],
        allowEmpty: values['allow-empty'],
        unpack: globals.unpack,
        once: values.once,
      },
      process.env,
    );
    if (config.sources.length === 0) {
      throw new CommandFailure('There is nothing to follow', { hint: 'berth agent --source DIR, or BERTH_SOURCE' });
    }
    const log = agentLog(config, { isTerminal: output.isErrorTerminal, write: output.writeError });
    const reasons = await runAgent(config, log, stopSignal());
    for (const reason of reasons) output.note(`berth: ${reason}`);
    return reasons.length === 0 ? 0 : 1;
  },
});

type LogTarget = { readonly isTerminal: boolean; readonly write: (line: string) => void };

function agentLog({ logLevel, logFormat }: AgentConfig, { isTerminal, write }: LogTarget): Log {
  const format = logFormat === 'auto' ? (isTerminal ? 'pretty' : 'json') : logFormat;
  const colour = isTerminal && (process.env['NO_COLOR'] ?? '') === '';
  return openLog({ level: logLevel, format, colour, write, now: () => Date.now() });
}

/** Aborts at the first SIGTERM, SIGINT or SIGHUP. A second one ends the process at once: somebody is in a hurry. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(1);
      controller.abort(new Error(`stopped by ${name}`));
    });
  }
  return controller.signal;
}
