import { isReady, readSandbox } from '../../oci/pod/sandbox.ts';
import type { Host } from '../../oci/host.ts';
import { createContainer } from '../../oci/runtime/create.ts';
import { deleteContainer } from '../../oci/runtime/delete.ts';
import { defineCommand } from '../command.ts';
import { requestOf } from '../container-request.ts';
import { listContainers, type ContainerView } from '../containers.ts';
import { CommandFailure } from '../failure.ts';
import { allMatches } from '../name-resolution.ts';
import { hostOf } from '../open-host.ts';
import { requireStandalone } from '../standalone.ts';

export const command = defineCommand({
  usage: ['start NAME…'],
  description:
    'For containers of berth run that have ended. What they wrote is still there; they run in the background;\n' +
    'berth attach leads to their terminals.',
  options: {},
  examples: ['berth start web'],
  arguments: { min: 1, max: Infinity },
  run: async ({ args, globals, output }) => {
    const host = hostOf(globals);
    const containers = allMatches(args, listContainers(host));
    requireStandalone(containers, 'start');
    for (const container of containers) {
      if (container.status === 'exited') await startAgain(host, container);
      output.line(container.name);
    }
    return 0;
  },
});

async function startAgain(host: Host, { id, name, podUid }: ContainerView): Promise<void> {
  const sandbox = readSandbox(host, podUid);
  if (sandbox === undefined || !isReady(sandbox)) {
    throw new CommandFailure(`Cannot start ${name}: its network went with the last boot`, {
      hint: `berth rm ${name}, then berth run it again`,
    });
  }
  const request = requestOf(host, id);
  await deleteContainer(host.runtime, id, { force: false });
  const monitor = await createContainer(host.runtime, { ...request, logFile: request.logFile ?? '/dev/null' });
  monitor.terminal?.[Symbol.dispose]();
  monitor.release();
}
