// PodSecurityContext and SecurityContext.
import * as z from 'zod';

import { nearestName } from '../nearest-name.ts';
import { quoted } from '../quoted-text.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, manifestObject, text, wholeNumber } from './manifest-object.ts';
import { sysctls } from './pod-network.ts';

/** Linux capabilities (capabilities(7)) without `CAP_`. */
const CAPABILITIES: ReadonlySet<string> = new Set(
  `ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH
  FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE
  NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE
  SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM`.split(/\s+/),
);

const capability = text((name) => {
  if (CAPABILITIES.has(name)) return undefined;
  const guess = nearestName(name.toUpperCase().replace(/^CAP_/, ''), CAPABILITIES);
  return `${quoted(name)} is not a capability${guess === undefined ? '' : `; did you mean '${guess}'?`}`;
});

const capabilities = manifestObject({ add: z.array(capability).nullish(), drop: z.array(capability).nullish() });

/** 2^32 - 1 means "leave as it is" to chown(2) and setresuid(2), so it is nobody's number (SEC-12). */
export const MOST_ID = 4_294_967_294;

const id = wholeNumber(0, MOST_ID);

const seccompProfile = checked(
  manifestObject({ type: text() }, { notYet: NOT_YET.seccompProfile }),
  function* ({ type }) {
    if (type === 'RuntimeDefault' || type === 'Unconfined') return;
    const message =
      type === 'Localhost'
        ? "Not supported yet: berth knows 'RuntimeDefault' and 'Unconfined'"
        : "Expected 'RuntimeDefault' or 'Unconfined'";
    yield { path: ['type'], message };
  },
);

const common = {
  runAsUser: id.nullish(),
  runAsGroup: id.nullish(),
  runAsNonRoot: z.boolean().nullish(),
  seccompProfile: seccompProfile.nullish(),
};

const CONTAINER = "a container's securityContext";
const POD = "the pod's securityContext";

export const podSecurity = manifestObject(
  {
    ...common,
    supplementalGroups: z.array(id).nullish(),
    fsGroup: id.nullish(),
    fsGroupChangePolicy: z.enum(['Always', 'OnRootMismatch']).nullish(),
    sysctls: sysctls.nullish(),
  },
  {
    notYet: NOT_YET.podSecurity,
    elsewhere: {
      capabilities: CONTAINER,
      privileged: CONTAINER,
      readOnlyRootFilesystem: CONTAINER,
      allowPrivilegeEscalation: CONTAINER,
    },
  },
);

export const containerSecurity = checked(
  manifestObject(
    {
      ...common,
      capabilities: capabilities.nullish(),
      privileged: z.boolean().nullish(),
      readOnlyRootFilesystem: z.boolean().nullish(),
      allowPrivilegeEscalation: z.boolean().nullish(),
    },
    { notYet: NOT_YET.containerSecurity, elsewhere: { supplementalGroups: POD, fsGroup: POD, sysctls: POD } },
  ),
  function* ({ privileged, allowPrivilegeEscalation }) {
    if (privileged !== true || allowPrivilegeEscalation !== false) return;
    yield { path: ['allowPrivilegeEscalation'], message: 'A privileged container can always escalate its privileges' };
  },
);

export type PodSecurityManifest = z.output<typeof podSecurity>;
export type ContainerSecurityManifest = z.output<typeof containerSecurity>;
