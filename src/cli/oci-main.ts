// berth-oci: the command line of an OCI runtime, as runc's. Exit codes: the process's own, 128+n on a signal, 1 for an error.
import { parseArgs } from 'node:util';

import {
  create,
  exec,
  kill,
  list,
  openOciRuntime,
  pids,
  remove,
  run,
  setFrozen,
  start,
  stateDocument,
} from './oci/operations.ts';

const USAGE = `berth-oci [--root DIR] COMMAND

  create [--bundle DIR] [--pid-file FILE] [--console-socket SOCKET] ID
                                                  make a container, stop before its program; its
                                                  terminal, if it has one, goes to the socket
  start ID                                        run its program
  run [--bundle DIR] [--pid-file FILE] [-d] ID    both; wait for the end unless -d
  state ID                                        print its state as JSON
  kill [--all] ID [SIGNAL]                        send a signal (default SIGTERM)
  delete [--force] ID                             remove a stopped container
  exec ID PROGRAM [ARGUMENT…]                     run a process in it
  list [-q] [-f table|json]                       every container
  ps [-f table|json] ID                           pids of its processes
  pause ID · resume ID                            freeze and thaw it
`;

const options = {
  root: { type: 'string' },
  bundle: { type: 'string', short: 'b' },
  'pid-file': { type: 'string' },
  'console-socket': { type: 'string' },
  detach: { type: 'boolean', short: 'd' },
  force: { type: 'boolean', short: 'f' },
  all: { type: 'boolean', short: 'a' },
  quiet: { type: 'boolean', short: 'q' },
  format: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** `-f` is short for --force, but for --format where something is listed. */
function optionsFor(argv: readonly string[]): typeof options {
  if (!argv.some((word) => word === 'list' || word === 'ps')) return options;
  return {
    ...options,
    force: { type: 'boolean' },
    format: { type: 'string', short: 'f' },
  } as unknown as typeof options;
}

async function main(argv: string[]): Promise<number> {
  const execAt = argv.indexOf('exec');
  const head = execAt === -1 ? argv : argv.slice(0, execAt + 2);
  const { values, positionals } = parseArgs({ args: head, options: optionsFor(head), allowPositionals: true });
  const [command, id = '', ...rest] = positionals;
  if (values.version === true) {
    console.log('berth-oci version 0.1.0\nspec: 1.2.0');
    return 0;
  }
  if (values.help === true || command === undefined) {
    console.log(USAGE);
    return values.help === true ? 0 : 1;
  }
  const runtime = openOciRuntime(values.root ?? '/run/berth-oci');
  const flags = {
    bundle: values.bundle ?? '.',
    pidFile: values['pid-file'],
    consoleSocket: values['console-socket'],
    detach: values.detach,
  };
  switch (command) {
    case 'create':
      return create(runtime, id, flags);
    case 'run':
      return run(runtime, id, flags);
    case 'start':
      return start(runtime, id);
    case 'state':
      console.log(JSON.stringify(stateDocument(runtime, id), undefined, 2));
      return 0;
    case 'kill':
      return kill(runtime, id, { signal: rest[0] ?? 'SIGTERM', all: values.all === true });
    case 'delete':
      return remove(runtime, id, { force: values.force === true });
    case 'exec':
      return exec(runtime, id, argv.slice(execAt + 2));
    case 'pause':
    case 'resume':
      return setFrozen(runtime, id, command === 'pause');
    case 'ps':
      console.log(pids(runtime, id, values.format));
      return 0;
    case 'list':
      printLines(list(runtime, values));
      return 0;
    default:
      throw new Error(`Unknown command '${command}'; see berth-oci --help`);
  }
}

/** Nothing at all for an empty list of ids. */
function printLines(lines: string): void {
  if (lines !== '') console.log(lines);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`berth-oci: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
