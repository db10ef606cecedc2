// cgroup v2: the device rules of a cgroup, as an eBPF program that the kernel keeps for as long as the cgroup lives.
import { constants, openSync } from 'node:fs';

import {
  BPF_CGROUP_DEVICE,
  BPF_PROG_TYPE_CGROUP_DEVICE,
  bpfProgAttach,
  bpfProgById,
  bpfProgDetach,
  bpfProgLoad,
  bpfProgName,
  bpfProgQuery,
  type Attachment,
} from '../bpf/bpf.ts';
import { deviceFilter } from '../bpf/device-filter.ts';
import { encodeProgram } from '../bpf/instruction.ts';
import { SyscallError } from '../errno.ts';
import { Fd } from '../fd.ts';
import { CgroupError } from './error.ts';
import type { CgroupDeviceRule } from './resources.ts';

/** By which the programs of berth are told from others' (systemd's, say), which must stay. */
const NAME = 'berth_devices';

export type FilterOptions = {
  /** Nothing can be attached yet: nobody need ask. */
  readonly isNew: boolean;
};

/**
 * Let the processes of the cgroup at `directory` use devices as `rules` say, all of them from the next open on. A filter of an
 * earlier call is replaced without a moment in between. Filters of cgroups above and of others go on to hold too.
 *
 * Throws CgroupError UNSUPPORTED with what the kernel says, or a RangeError on rules that no device can match.
 */
export function filterDevices(directory: string, rules: readonly CgroupDeviceRule[], { isNew }: FilterOptions): void {
  const instructions = encodeProgram(deviceFilter(rules));
  try {
    using program = bpfProgLoad({ type: BPF_PROG_TYPE_CGROUP_DEVICE, name: NAME, instructions });
    using cgroup = new Fd(openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY));
    const attachment = { cgroup: cgroup.number, type: BPF_CGROUP_DEVICE };
    if (isNew) bpfProgAttach(attachment, program.number);
    else replaceOwn(attachment, program.number);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new CgroupError('UNSUPPORTED', `Cannot set the device rules of ${directory}: ${error.message}`, {
      cause: error,
    });
  }
}

function replaceOwn(attachment: Attachment, program: number): void {
  using stack = new DisposableStack();
  const own = bpfProgQuery(attachment).flatMap((id) => {
    const attached = bpfProgById(id);
    if (attached === undefined) return [];
    stack.use(attached);
    return bpfProgName(attached.number) === NAME ? [attached.number] : [];
  });
  const [replaced, ...others] = own;
  bpfProgAttach(attachment, program, replaced);
  for (const one of others) bpfProgDetach(attachment, one);
}
