import { askAgent } from '../../agent/control-client.ts';
import { controlSocketPath } from '../../agent/places.ts';
import { defineCommand, type Globals } from '../command.ts';
import { cgroupChecks } from '../doctor/cgroups.ts';
import { ok, warn, type Check } from '../doctor/check.ts';
import { kernelChecks } from '../doctor/kernel.ts';
import { networkChecks } from '../doctor/network.ts';
import { programChecks } from '../doctor/programs.ts';
import { storageChecks } from '../doctor/storage.ts';
import { formatOption, parseFormat, printStructured } from '../output/format.ts';
import { oneLine } from '../output/printable.ts';

export const command = defineCommand({
  usage: ['doctor [-o json|yaml]'],
  description: 'Looks, and changes nothing. Exit code 1 when something is missing that berth cannot do without.',
  options: { ...formatOption },
  examples: ['berth doctor', 'berth doctor -o json'],
  arguments: { min: 0, max: 0 },
  run: async ({ values, globals, output }) => {
    const format = parseFormat(values.output);
    const checks = [
      ...kernelChecks(),
      ...cgroupChecks(),
      ...storageChecks(globals.root, globals.unpack ?? 'auto'),
      ...networkChecks(),
      ...(await programChecks()),
      await agentCheck(globals),
    ];
    if (format === 'table') output.write(formatChecks(checks));
    else await printStructured(output, format, checks);
    return checks.some(({ result }) => result === 'fail') ? 1 : 0;
  },
});

async function agentCheck(globals: Globals): Promise<Check> {
  const status = await askAgent(controlSocketPath(globals), { method: 'status' });
  if (status === undefined) return warn('agent', 'not running', 'berth agent --source DIR');
  return ok('agent', `version ${status.version}, pid ${status.pid}`);
}

/** The lines of `berth doctor`. Pure. */
export function formatChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, result, detail, advice }) => {
      const line = `${result.padEnd(4)}  ${name.padEnd(width)}  ${oneLine(detail)}\n`;
      return advice === undefined ? line : `${line}${' '.repeat(width + 8)}${advice}\n`;
    })
    .join('');
}
