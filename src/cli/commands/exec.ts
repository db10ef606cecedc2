import { shellExitCode } from '../../linux/siginfo.ts';
import type { Host } from '../../oci/host.ts';
import { OciError } from '../../oci/error.ts';
import type { Process } from '../../oci/runtime/config.ts';
import { execInContainer, execInTerminal } from '../../oci/runtime/exec.ts';
import { readConfig } from '../../oci/runtime/read-config.ts';
import { lookUpUser } from '../../oci/runtime/user.ts';
import { imageByDigest } from '../../agent/machine/images.ts';
import { defineCommand, type Values } from '../command.ts';
import { listContainers, type ContainerView } from '../containers.ts';
import { CommandFailure } from '../failure.ts';
import { Interrupt } from '../interrupt.ts';
import { oneMatch } from '../name-resolution.ts';
import { hostOf } from '../open-host.ts';
import { parseVariable } from '../run-options.ts';
import { withholdStandardInput } from '../standard-input.ts';
import { ownTerminalSize, runTerminalSession } from '../terminal-session.ts';

const options = {
  interactive: { type: 'boolean', short: 'i', help: 'Pass standard input on' },
  tty: { type: 'boolean', short: 't', help: 'Give it a terminal' },
  env: { type: 'string', short: 'e', multiple: true, value: 'NAME=VALUE', help: 'Set a variable' },
  user: { type: 'string', short: 'u', value: 'USER[:GROUP]', help: 'Names of the image, or numbers' },
  workdir: { type: 'string', short: 'w', value: 'DIR', help: 'Working directory' },
} as const;

export const command = defineCommand({
  usage: ['exec [OPTIONS] NAME PROGRAM [ARGUMENT…]'],
  description:
    'The program has the environment, user and limits of the container. Ends as the program did: with its exit code, or\n' +
    '128 + signal.',
  options,
  examples: ['berth exec web-0 nginx -t', 'berth exec -it web-0/nginx sh', 'berth exec -u 1000 web-0 id'],
  arguments: { min: 1, max: 1 },
  takesProgram: true,
  run: async ({ values, args: [name = ''], rest, globals }) => {
    if (rest.length === 0) throw new CommandFailure('What shall run there?', { hint: 'berth exec NAME PROGRAM …' });
    const host = hostOf(globals);
    const running = listContainers(host).filter(({ status }) => status === 'running' || status === 'paused');
    const container = oneMatch(name, running);
    const process = processOf(host, container, { values, args: rest });
    return execute(host, container.id, { process, interactive: values.interactive });
  },
});

type Asked = { readonly values: Values<typeof options>; readonly args: readonly string[] };

function processOf(host: Host, container: ContainerView, { values, args }: Asked): Process {
  const base = readConfig(host.runtime, container.id).process;
  if (base === undefined) throw new OciError('CONFIG_INVALID', `Container '${container.name}' has no process`);
  const user = values.user === undefined ? undefined : userOf(host, container, values.user);
  const environment = [
    ...(base.env ?? []),
    ...(user === undefined ? [] : [`HOME=${user.home}`]),
    ...(values.tty ? ['TERM=xterm'] : []),
    ...values.env.flatMap((text) => parseVariable(text, process.env)),
  ];
  return {
    ...base,
    args,
    terminal: values.tty,
    cwd: values.workdir ?? base.cwd,
    env: lastOfEach(environment),
    ...(user === undefined ? {} : { user: user.user, capabilities: capabilitiesFor(base, user.user.uid) }),
  };
}

/** Only root holds capabilities from the start; another user has them in its bounding set alone. */
function capabilitiesFor({ capabilities = {} }: Process, uid: number): NonNullable<Process['capabilities']> {
  const held = uid === 0 ? (capabilities.bounding ?? []) : [];
  return { ...capabilities, permitted: held, effective: held };
}

function userOf(host: Host, { imageDigest, name }: ContainerView, spec: string) {
  const image = imageByDigest(host, imageDigest);
  if (image !== undefined) return lookUpUser(spec, host.userFiles(image));
  if (/^\d+(:\d+)?$/.test(spec)) return lookUpUser(spec, { passwd: '', group: '' });
  throw new CommandFailure(`The image of ${name} is gone, so that '${spec}' cannot be looked up`, {
    hint: 'Give the user as a number',
  });
}

/** Each variable once: its last value, at the place of its first. */
function lastOfEach(environment: readonly string[]): string[] {
  const variables = new Map(environment.map((entry) => [entry.slice(0, entry.indexOf('=')), entry]));
  return [...variables.values()];
}

/** What a shell reports of a program that SIGINT ended. */
const INTERRUPTED = 130;
/** And SIGHUP: our own terminal is gone, and with us the program's. */
const HUNG_UP = 129;

type Execution = { readonly process: Process; readonly interactive: boolean };

async function execute(host: Host, id: string, execution: Execution): Promise<number> {
  return execution.process.terminal === true
    ? executeInTerminal(host, id, execution)
    : executeWithOurStreams(host, id, execution);
}

async function executeWithOurStreams(host: Host, id: string, { process, interactive }: Execution): Promise<number> {
  if (!interactive) withholdStandardInput();
  using interrupt = new Interrupt();
  const { signal } = interrupt;
  try {
    return shellExitCode(await execInContainer(host.runtime, { id, process, stdio: [0, 1, 2], signal }));
  } catch (error) {
    if (signal.aborted) throw new CommandFailure('Interrupted: the program was killed', { exitCode: INTERRUPTED });
    throw error;
  }
}

async function executeInTerminal(host: Host, id: string, { process, interactive }: Execution): Promise<number> {
  const size = ownTerminalSize();
  const consoleSize = size === undefined ? {} : { consoleSize: { height: size.rows, width: size.columns } };
  const running = await execInTerminal(host.runtime, { id, process: { ...process, ...consoleSize } });
  using terminal = running.terminal;
  const end = await runTerminalSession(terminal, running.ended, { input: interactive });
  return end === 'left' ? HUNG_UP : shellExitCode(await running.ended);
}
