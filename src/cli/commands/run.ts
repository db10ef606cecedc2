import { shellExitCode } from '../../linux/siginfo.ts';
import type { Host } from '../../oci/host.ts';
import { removePod } from '../../oci/pod/remove.ts';
import { runStandalone, type RunOptions } from '../../oci/pod/run-container.ts';
import { readState } from '../../oci/runtime/state.ts';
import { imageOrPull } from '../bring-image.ts';
import { defineCommand, type Values } from '../command.ts';
import { randomName } from '../random-name.ts';
import { CommandFailure } from '../failure.ts';
import { forwardSignals } from '../forward-signals.ts';
import type { Output } from '../output/output.ts';
import { hostOf } from '../open-host.ts';
import { commandLine, parseLimits, parseNetwork, parsePort, parseVariable, parseVolume } from '../run-options.ts';
import { withholdStandardInput } from '../standard-input.ts';

const options = {
  detach: { type: 'boolean', short: 'd', help: 'Print the id and leave the container running' },
  rm: { type: 'boolean', help: 'Remove the container when it ends' },
  name: { type: 'string', value: 'NAME', help: 'Its name (default: a random one)' },
  publish: { type: 'string', short: 'p', multiple: true, value: '[IP:]HOST:INSIDE', help: 'Publish a port' },
  volume: { type: 'string', short: 'v', multiple: true, value: 'SRC:DST[:ro]', help: 'Mount a path of this machine' },
  env: { type: 'string', short: 'e', multiple: true, value: 'NAME=VALUE', help: 'Set a variable' },
  network: { type: 'string', value: 'MODE', help: 'bridge (default), host or none' },
  interactive: { type: 'boolean', short: 'i', help: 'Pass standard input on' },
  tty: { type: 'boolean', short: 't', help: 'Give it a terminal' },
  init: { type: 'boolean', help: 'Run the program below an init that forwards signals and reaps' },
  workdir: { type: 'string', short: 'w', value: 'DIR', help: 'Working directory' },
  user: { type: 'string', short: 'u', value: 'USER[:GROUP]', help: 'Names of the image, or numbers' },
  hostname: { type: 'string', value: 'NAME', help: 'Host name (default: its name)' },
  entrypoint: { type: 'string', value: 'PROGRAM', help: 'Run this in place of what the image says' },
  memory: { type: 'string', short: 'm', value: 'SIZE', help: 'Memory limit, such as 512m' },
  cpus: { type: 'string', value: 'N', help: 'Processor limit, such as 1.5' },
  'pids-limit': { type: 'string', value: 'N', help: 'Limit of processes and threads (default 4096)' },
  'read-only': { type: 'boolean', help: 'A root file system that cannot be written' },
  'cap-add': { type: 'string', multiple: true, value: 'CAP', help: 'Add a capability; ALL for all' },
  'cap-drop': { type: 'string', multiple: true, value: 'CAP', help: 'Take a capability away; ALL for all' },
  privileged: { type: 'boolean', help: 'All capabilities, all devices, no seccomp: no isolation from this machine' },
} as const;

type Flags = Values<typeof options>;

export const command = defineCommand({
  usage: ['run [OPTIONS] IMAGE [PROGRAM [ARGUMENT…]]'],
  description: 'Fetches the image when it is not here. Ends as the program did: with its exit code, or 128 + signal.',
  options,
  examples: [
    'berth run --rm alpine:3 echo hello',
    'berth run --rm -it debian:12 bash',
    'berth run -dit --name shell debian:12 bash',
    'berth run -d --name web -p 8080:80 -v ./site:/usr/share/nginx/html:ro nginx:1.27',
  ],
  arguments: { min: 1, max: 1 },
  takesProgram: true,
  run: async ({ values, args: [reference = ''], rest, globals, output }) => {
    if (values.detach && values.interactive && !values.tty) {
      throw new CommandFailure('-d and -i exclude each other: nobody passes input on to the background', {
        hint: 'With -dit berth attach does',
      });
    }
    const asked = { ...requestOf(values, rest), ...(values.tty ? await terminalSize() : {}) };
    const host = hostOf(globals);
    const image = await imageOrPull(host, reference, output);
    if (values.detach) {
      const { id, monitor } = await runStandalone(host, { ...asked, image });
      monitor.terminal?.[Symbol.dispose]();
      monitor.release();
      output.line(id);
      return 0;
    }
    return runAttached(host, { ...asked, image }, { values, output });
  },
});

function requestOf(values: Flags, rest: readonly string[]): Omit<RunOptions, 'image'> {
  const { memory, cpus, 'pids-limit': pids } = values;
  return {
    name: values.name ?? randomName(),
    hostname: values.hostname,
    network: parseNetwork(values.network),
    ports: values.publish.map(parsePort),
    mounts: values.volume.map(parseVolume),
    env: values.env.flatMap((text) => parseVariable(text, process.env)),
    resources: parseLimits({ memory, cpus, pids }),
    ...commandLine(values.entrypoint, rest),
    workingDir: values.workdir,
    userSpec: values.user,
    runAsNonRoot: false,
    supplementalGroups: [],
    capabilitiesAdd: values['cap-add'].map(capabilityName),
    capabilitiesDrop: values['cap-drop'].map(capabilityName),
    privileged: values.privileged,
    readonlyRootfs: values['read-only'],
    noNewPrivileges: false,
    seccomp: 'default',
    terminal: values.tty,
    init: values.init,
  };
}

/** Loaded where somebody asks for a terminal, like everything about terminals. */
async function terminalSize(): Promise<Pick<RunOptions, 'terminalSize'>> {
  const { ownTerminalSize } = await import('../terminal-session.ts');
  return { terminalSize: ownTerminalSize() };
}

function capabilityName(name: string): string {
  return name.toUpperCase();
}

type Called = { readonly values: Flags; readonly output: Output };

/** Run with our own streams or in a terminal, wait, and end as the program did. */
async function runAttached(host: Host, request: RunOptions, { values, output }: Called): Promise<number> {
  const { tty, interactive, rm } = values;
  if (!tty && !interactive) withholdStandardInput();
  const { id, monitor, podUid } = await runStandalone(host, { ...request, streams: 'inherit' });
  using _forwarding = forwardSignals(host.runtime, id);
  if (monitor.terminal !== undefined) {
    using terminal = monitor.terminal;
    const { runTerminalSession } = await import('../terminal-session.ts');
    const end = await runTerminalSession(terminal, monitor.ended, { input: interactive, detachable: true });
    if (end === 'left') {
      output.note(`\n${request.name} runs on: berth attach ${request.name}`);
      return 0;
    }
  }
  await monitor.ended;
  const state = readState(host.paths.state, id);
  if (rm) await removePod(host, podUid, { graceMs: 0 });
  if (state?.exit === undefined) throw new CommandFailure('The container ended, and nobody saw how', { exitCode: 255 });
  return shellExitCode(state.exit);
}
