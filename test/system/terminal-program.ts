// What `berth exec -it` and attaching do, without their command lines, for a test to run in a terminal of its own:
//   terminal-program.ts STATE-DIRECTORY exec ID PROGRAM…     ends as the program did
//   terminal-program.ts STATE-DIRECTORY fail ID PROGRAM…     throws at the first key
//   terminal-program.ts STATE-DIRECTORY attach ID            prints how the session ended
import { readCgroupLayout } from '../../src/linux/cgroup/layout.ts';
import { shellExitCode } from '../../src/linux/siginfo.ts';
import { runTerminalSession } from '../../src/cli/terminal-session.ts';
import { execInTerminal } from '../../src/oci/runtime/exec.ts';
import { readConfig } from '../../src/oci/runtime/read-config.ts';
import { openRuntime } from '../../src/oci/runtime/runtime.ts';
import { openTerminal } from '../../src/oci/runtime/terminal.ts';
import { waitContainer } from '../../src/oci/runtime/wait.ts';

const [stateDirectory = '', mode, id = '', ...args] = process.argv.slice(2);
const runtime = openRuntime({ stateDirectory, cgroups: readCgroupLayout() });

async function exec(): Promise<void> {
  const base = readConfig(runtime, id).process;
  if (base === undefined) throw new Error('no process');
  const { terminal, ended } = await execInTerminal(runtime, { id, process: { ...base, args } });
  using _terminal = terminal;
  const end = await runTerminalSession(terminal, ended);
  process.exitCode = end === 'left' ? 129 : shellExitCode(await ended);
}

async function attach(): Promise<void> {
  using terminal = openTerminal(runtime, id);
  const stop = new AbortController();
  const ended = waitContainer(stateDirectory, id, { signal: stop.signal });
  const end = await runTerminalSession(terminal, ended, { detachable: true });
  stop.abort();
  await ended.catch(() => undefined);
  process.stdout.write(`session ${end}\n`);
}

if (mode === 'fail') {
  process.stdin.on('data', () => {
    throw new Error('failed on purpose');
  });
}
await (mode === 'attach' ? attach() : exec());
