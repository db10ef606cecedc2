// A process of its own that runs containers one after the other, to be looked at by strace: node container-runner.ts, with
// {stateDirectory, requests} as JSON on standard input.
import { json } from 'node:stream/consumers';

import { readCgroupLayout } from '../../src/linux/cgroup/layout.ts';
import { createContainer, type CreateRequest } from '../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../src/oci/runtime/delete.ts';
import { prepareForMany } from '../../src/oci/runtime/prepare-for-many.ts';
import { openRuntime } from '../../src/oci/runtime/runtime.ts';

export type RunnerWork = {
  readonly stateDirectory: string;
  readonly requests: readonly CreateRequest[];
  /** The cgroup above theirs. */
  readonly cgroupParent: string;
};

const { stateDirectory, requests, cgroupParent } = (await json(process.stdin)) as RunnerWork;
const runtime = openRuntime({ stateDirectory, cgroups: readCgroupLayout() });
await prepareForMany(runtime, cgroupParent);
for (const request of requests) {
  const monitor = await createContainer(runtime, request);
  await monitor.ended;
  await deleteContainer(runtime, request.id, { force: false });
}
