// linux.seccomp of config.json → what the tape loads (config-linux.md, "Seccomp"). Pure.
import { SECCOMP_FILTER_FLAG_NEW_LISTENER, seccompFlags } from '../../linux/seccomp/profile.ts';
import { OciError } from '../error.ts';
import type { Seccomp } from './config.ts';

/** Who is asked about calls of SCMP_ACT_NOTIFY: the socket to connect to, and what it is told besides the state. */
export type SeccompListener = { readonly path: string; readonly metadata: string | undefined };

/** A profile that can be compiled, the flags of seccomp(2) that go with it. */
export type SeccompPlan = {
  readonly profile: Seccomp;
  readonly flags: number;
  /** Their names, for messages. */
  readonly flagNames: readonly string[];
  /** Undefined: nobody is asked. */
  readonly listener: SeccompListener | undefined;
};

const ARCHITECTURES: ReadonlySet<string> = new Set(
  (
    'X86 X86_64 X32 ARM AARCH64 MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PPC PPC64 PPC64LE S390 S390X PARISC ' +
    'PARISC64 RISCV64 LOONGARCH64 M68K SH SHEB'
  )
    .split(' ')
    .map((name) => `SCMP_ARCH_${name}`),
);
const WAIT_KILLABLE_RECV = 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV';

/**
 * Check a profile. Undefined where there is none, or one that says nothing (`{}`, which runc takes for none). Throws OciError
 * CONFIG_INVALID that names the field, RangeError on an unknown flag.
 */
export function planSeccomp(given: Seccomp | undefined): SeccompPlan | undefined {
  if (given === undefined || given === null) return undefined;
  const seccomp = withoutNulls(given);
  if (seccomp.defaultAction === undefined && (seccomp.syscalls ?? []).length === 0) return undefined;
  const unknown = seccomp.architectures?.find((name) => !ARCHITECTURES.has(name));
  if (unknown !== undefined) throw invalid('architectures', `'${unknown}' is not known`);
  checkRules(seccomp);
  const listener = listenerOf(seccomp);
  const flagNames = seccomp.flags ?? [];
  if (listener === undefined && flagNames.includes(WAIT_KILLABLE_RECV))
    throw invalid('flags', `${WAIT_KILLABLE_RECV} needs a rule with SCMP_ACT_NOTIFY`);
  const flags = seccompFlags(flagNames) | (listener === undefined ? 0 : SECCOMP_FILTER_FLAG_NEW_LISTENER);
  return { profile: seccomp, flags, flagNames, listener };
}

/** What Go's tools leave out they may also write as `null`. */
function withoutNulls(seccomp: Seccomp): Seccomp {
  const kept = present(seccomp);
  if (kept.syscalls?.some((rule) => present(rule) !== rule) !== true) return kept;
  return { ...kept, syscalls: kept.syscalls.map(present) };
}

function present<T extends object>(record: T): T {
  if (!Object.values(record).includes(null)) return record;
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null)) as T;
}

function checkRules({ syscalls = [] }: Seccomp): void {
  syscalls.forEach(({ names, action }, index) => {
    const field = `syscalls[${index}]`;
    if (!Array.isArray(names) || names.length === 0) throw invalid(`${field}.names`, 'names no system call');
    if (names.includes('')) throw invalid(`${field}.names`, 'a name is empty');
    // The descriptor that the listener reads from is told by a write: it would wait for an answer of its own.
    if (action === 'SCMP_ACT_NOTIFY' && names.includes('write'))
      throw invalid(field, "SCMP_ACT_NOTIFY cannot be used for 'write'");
  });
}

function listenerOf({ defaultAction, syscalls = [], ...seccomp }: Seccomp): SeccompListener | undefined {
  if (defaultAction === 'SCMP_ACT_NOTIFY')
    throw invalid('defaultAction', 'SCMP_ACT_NOTIFY cannot be the default: it would be asked about every write');
  const { listenerPath: path = '', listenerMetadata: metadata = '' } = seccomp;
  if (path === '' && metadata !== '') throw invalid('listenerMetadata', 'means nothing without listenerPath');
  if (!syscalls.some(({ action }) => action === 'SCMP_ACT_NOTIFY')) return undefined;
  if (path === '') throw invalid('listenerPath', 'is missing: SCMP_ACT_NOTIFY must say whom to ask');
  return { path, metadata: metadata === '' ? undefined : metadata };
}

function invalid(field: string, problem: string): OciError {
  return new OciError('CONFIG_INVALID', `linux.seccomp.${field}: ${problem}`);
}
