// What a command of berth-oci is. Each lies in a file of its own and is loaded when it is called: the program starts for every
// single step of a container.
import type { Runtime, RuntimePlace } from '../../oci/runtime/runtime.ts';
import type { Options, Values } from '../command.ts';
import type { RuntimeLog } from './runtime-log.ts';

export type OciInvocation<O extends Options = Options> = {
  readonly values: Values<O>;
  readonly args: readonly string[];
  readonly log: RuntimeLog;
  /** `--systemd-cgroup`. */
  readonly systemd: boolean;
  /** The runtime whose state lies under `--root`: opened when it is asked for. */
  readonly runtime: () => Promise<Runtime>;
  /** Only where its containers are: quicker, for commands that start nothing. */
  readonly place: () => Promise<RuntimePlace>;
};

export type OciCommandDefinition<O extends Options> = {
  /** Without `berth-oci`: `kill [OPTIONS] ID [SIGNAL]`. */
  readonly usage: string;
  readonly summary: string;
  readonly options: O;
  readonly arguments: { readonly min: number; readonly max: number };
  /** Flags end at the first argument: what follows is a program, or are options of another. */
  readonly flagsFirst?: boolean;
  /** What the program ends with when the command fails; 1 where it does not say. */
  readonly failureCode?: number;
  /** Resolves with the exit code. */
  readonly run: (invocation: OciInvocation<O>) => Promise<number>;
};

/** A command of whatever options. */
export type OciCommand = OciCommandDefinition<Options>;

/** Define a command: inside, the values have the types that its options say. */
export function defineOciCommand<const O extends Options>(definition: OciCommandDefinition<O>): OciCommand {
  // The parser gives `run` exactly the values that its own options describe.
  return definition as unknown as OciCommand;
}
