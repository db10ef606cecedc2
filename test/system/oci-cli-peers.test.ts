// The same bundles in berth-oci, runc and crun: what their programs see is the same, or the difference has a reason.
import { FILE_CASES } from './oci-file-cases.ts';
import { HOOK_CASES } from './oci-hook-cases.ts';
import { MOUNT_CASES } from './oci-mount-cases.ts';
import { NAMESPACE_CASES } from './oci-namespace-cases.ts';
import { peerTests } from './oci-peer-tests.ts';
import { PROCESS_CASES } from './oci-process-cases.ts';

peerTests({ ...PROCESS_CASES, ...FILE_CASES, ...MOUNT_CASES, ...NAMESPACE_CASES, ...HOOK_CASES });
