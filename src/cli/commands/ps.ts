import { defineCommand } from '../command.ts';
import { askHealth } from '../container-health.ts';
import { listContainers, type ContainerView, type PortView } from '../containers.ts';
import { shortId } from '../name-resolution.ts';
import { existingHost } from '../open-host.ts';
import { formatOption, parseFormat, printStructured } from '../output/format.ts';
import { printable } from '../output/printable.ts';
import { formatAge } from '../output/quantities.ts';
import { formatTable } from '../output/table.ts';

export const command = defineCommand({
  usage: ['ps [-a] [-q] [-o json|yaml]'],
  options: {
    all: { type: 'boolean', short: 'a', help: 'Also containers that have ended' },
    quiet: { type: 'boolean', short: 'q', help: 'Print ids only' },
    ...formatOption,
  },
  examples: ['berth ps', 'berth ps -a', "berth ps -o json | jq '.[].name'", 'berth rm $(berth ps -aq)'],
  arguments: { min: 0, max: 0 },
  run: async ({ values, globals, output }) => {
    const format = parseFormat(values.output);
    const host = existingHost(globals);
    const all = host === undefined ? [] : await askHealth(globals, host, listContainers(host));
    const shown = values.all ? all : all.filter(({ status }) => status !== 'exited');
    if (values.quiet) for (const { id } of shown) output.line(shortId(id));
    else if (format === 'table') output.write(containerTable(shown, Date.now()));
    else await printStructured(output, format, shown);
    return 0;
  },
});

/** The table of `berth ps`, as of `now` (milliseconds since the epoch). Pure. */
export function containerTable(containers: readonly ContainerView[], now: number): string {
  const rows = containers.map((one) => [
    shortId(one.id),
    one.name,
    printable(one.image),
    statusText(one, now),
    String(one.restarts),
    one.ports.map(portText).join(', '),
  ]);
  return formatTable(['ID', 'NAME', 'IMAGE', 'STATUS', 'RESTARTS', 'PORTS'], rows);
}

/** `running 5m`, `running 5m, not ready`, `exited (1) 2h ago`, `failed to start (ENOENT)`. */
export function statusText(
  { status, createdAt, finishedAt, exitCode, startError, ready }: ContainerView,
  now: number,
): string {
  const health = ready === undefined ? '' : ready ? ', ready' : ', not ready';
  if (status !== 'exited') return `${status} ${formatAge(now - Date.parse(createdAt))}${health}`;
  if (startError !== undefined) return `failed to start (${startError})`;
  const ago = finishedAt === undefined ? '' : ` ${formatAge(now - Date.parse(finishedAt))} ago`;
  return `exited (${exitCode ?? '?'})${ago}`;
}

function portText({ hostIP, hostPort, containerPort, protocol }: PortView): string {
  const host = hostIP === undefined ? '' : hostIP.includes(':') ? `[${hostIP}]:` : `${hostIP}:`;
  return `${host}${hostPort}->${containerPort}/${protocol.toLowerCase()}`;
}
