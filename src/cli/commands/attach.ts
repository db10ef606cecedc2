import { shellExitCode } from '../../linux/siginfo.ts';
import { openTerminal } from '../../oci/runtime/terminal.ts';
import { waitContainer } from '../../oci/runtime/wait.ts';
import { defineCommand } from '../command.ts';
import { listContainers } from '../containers.ts';
import { CommandFailure } from '../failure.ts';
import { oneMatch } from '../name-resolution.ts';
import { hostOf } from '../open-host.ts';
import { runTerminalSession } from '../terminal-session.ts';

export const command = defineCommand({
  usage: ['attach NAME'],
  description:
    'For containers of berth run -t. The keys ctrl-p ctrl-q leave it again, and the container runs on. What the program wrote\n' +
    'meanwhile comes first; once the terminal was full, it waited. Ends as the program did, when that ends.',
  options: {},
  examples: ['berth attach shell'],
  arguments: { min: 1, max: 1 },
  run: async ({ args: [name = ''], globals }) => {
    const host = hostOf(globals);
    const running = listContainers(host).filter(({ status }) => status === 'running' || status === 'paused');
    const { id } = oneMatch(name, running);
    using terminal = openTerminal(host.runtime, id);
    const waiting = new AbortController();
    const ended = waitContainer(host.paths.state, id, { signal: waiting.signal });
    const end = await runTerminalSession(terminal, ended, { detachable: true });
    if (end === 'left') {
      waiting.abort();
      await ended.catch(() => undefined);
      return 0;
    }
    const exit = (await ended)?.exit;
    if (exit === undefined) throw new CommandFailure('The container ended, and nobody saw how', { exitCode: 255 });
    return shellExitCode(exit);
  },
});
