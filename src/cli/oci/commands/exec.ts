// berth-oci exec: a process in a container. Ends as the process does; 255 where there is none.
import { writeFileSync } from 'node:fs';

import { parseSubCgroup } from '../../../linux/cgroup/sub-cgroup.ts';
import { shellExitCode } from '../../../linux/siginfo.ts';
import { OciError } from '../../../oci/error.ts';
import type { Process } from '../../../oci/runtime/config.ts';
import { checkProcess, type CheckedProcess } from '../../../oci/runtime/check-config.ts';
import { execAsChild, type ExecChild } from '../../../oci/runtime/exec-child.ts';
import { readConfig } from '../../../oci/runtime/read-config.ts';
import type { Runtime } from '../../../oci/runtime/runtime.ts';
import { requireState } from '../../../oci/runtime/state.ts';
import type { Values } from '../../command.ts';
import { defineOciCommand } from '../command.ts';
import { openConsole, sendConsole } from '../console-socket.ts';
import { changedProcess, readProcess } from '../exec-process.ts';
import { runForeground } from '../foreground.ts';
import { HOME_LABEL, processWithHome, withoutHome } from '../home.ts';
import { preservedFds } from '../preserved-fds.ts';

const FAILED = 255;

const FLAGS = {
  'console-socket': { type: 'string', value: 'SOCKET', help: 'where the terminal goes' },
  cwd: { type: 'string', value: 'DIR', help: 'working directory' },
  env: { type: 'string', short: 'e', multiple: true, value: 'K=V', help: 'another variable' },
  tty: { type: 'boolean', short: 't', help: 'with a terminal' },
  user: { type: 'string', short: 'u', value: 'UID[:GID]', help: 'as this user' },
  'additional-gids': { type: 'string', short: 'g', multiple: true, value: 'GID', help: 'in this group too' },
  process: { type: 'string', short: 'p', value: 'FILE', help: 'the whole process, as config.json has it' },
  detach: { type: 'boolean', short: 'd', help: 'do not wait for the end' },
  'pid-file': { type: 'string', value: 'FILE', help: 'write the number of the process there' },
  'process-label': { type: 'string', value: 'LABEL', help: 'label of SELinux' },
  apparmor: { type: 'string', value: 'PROFILE', help: 'profile of AppArmor' },
  'no-new-privs': { type: 'boolean', help: 'never more privileges than at the start' },
  cap: { type: 'string', short: 'c', multiple: true, value: 'NAME', help: 'another capability' },
  'preserve-fds': { type: 'string', value: 'N', help: 'it keeps descriptors 3 to 2+N too (default: 0)' },
  cgroup: { type: 'string', multiple: true, value: '[CONTROLLER:]PATH', help: "below the container's cgroup" },
  'ignore-paused': { type: 'boolean', help: 'also in a container that is paused' },
} as const;

type Flags = Values<typeof FLAGS>;

export const command = defineOciCommand({
  usage: 'exec [FLAGS] ID [PROGRAM ARGUMENT…]',
  summary: 'run a process in a container',
  options: FLAGS,
  arguments: { min: 1, max: Infinity },
  flagsFirst: true,
  failureCode: FAILED,
  run: async ({ values: flags, args: [id = '', ...program], runtime: open }) => {
    const runtime = await open();
    const start = (): Promise<ExecChild> => execute(runtime, id, { flags, program });
    if (flags.detach) {
      (await start()).release();
      return 0;
    }
    const exit = await runForeground(start);
    return exit === undefined ? FAILED : shellExitCode(exit);
  },
});

type Call = { readonly flags: Flags; readonly program: readonly string[] };

async function execute(runtime: Runtime, id: string, { flags, program }: Call): Promise<ExecChild> {
  const process = processOf(runtime, id, { flags, program });
  using console = openConsole({
    terminal: process.terminal === true,
    socketPath: flags['console-socket'],
    stays: !flags.detach,
  });
  const child = await execAsChild(runtime, {
    id,
    process,
    preservedFds: preservedFds(flags['preserve-fds']),
    cgroups: flags.cgroup.map(parseSubCgroup),
    ignorePaused: flags['ignore-paused'],
  });
  if (flags['pid-file'] !== undefined) writeFileSync(flags['pid-file'], String(child.pid));
  if (console !== undefined && child.terminal !== undefined) {
    using terminal = child.terminal;
    sendConsole(console, terminal);
  }
  return child;
}

function processOf(runtime: Runtime, id: string, { flags, program }: Call): Process {
  const { record, pid } = requireState(runtime.stateDirectory, id);
  const root = `/proc/${pid}/root`;
  const known = ({ process, warnings }: CheckedProcess): Process => {
    for (const warning of warnings) runtime.warn(warning);
    return processWithHome(process, root);
  };
  if (flags.process !== undefined) return known(readProcess(flags.process));
  const base = readConfig(runtime, id).process;
  if (base === undefined) throw new OciError('CONFIG_INVALID', `Container '${id}' has no process to take over`);
  const lookedUp = record.labels[HOME_LABEL] !== undefined;
  return known(checkProcess(changedProcess(lookedUp ? withoutHome(base) : base, program, flags)));
}
