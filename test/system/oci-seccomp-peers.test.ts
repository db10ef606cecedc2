// linux.seccomp in berth-oci, runc and crun.
import { peerTests } from './oci-peer-tests.ts';
import { SECCOMP_CASES } from './oci-seccomp-cases.ts';

peerTests(SECCOMP_CASES);
