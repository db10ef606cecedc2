// Filters as libseccomp makes them, through Debian's python3-seccomp: the oracle for what several rules mean together.
import { execFileSync } from 'node:child_process';

import type { SeccompProfile } from '../../src/linux/seccomp/profile.ts';
import { findProgram } from './busybox-bundle.ts';

// As runc calls it: rules that say what the default says are left out, and one that names an argument twice is one a condition.
const SCRIPT = `
import json, os, sys, tempfile
import seccomp as s
def action(name, errno):
    kind = name[9:]
    if kind == 'ERRNO': return s.ERRNO(errno)
    if kind == 'TRACE': return s.TRACE(errno)
    return {'KILL': s.KILL, 'KILL_THREAD': s.KILL, 'KILL_PROCESS': s.KILL_PROCESS, 'TRAP': s.TRAP, 'ALLOW': s.ALLOW,
            'LOG': s.LOG, 'NOTIFY': s.NOTIFY}[kind]
def condition(arg):
    return s.Arg(arg['index'], getattr(s, arg['op'][9:]), int(arg['value']), int(arg.get('valueTwo', 0)))
def compile(profile):
    default = action(profile['defaultAction'], profile.get('defaultErrnoRet', 1))
    filter = s.SyscallFilter(default)
    for name in profile.get('architectures', []):
        arch = getattr(s.Arch, name[10:])
        if not filter.exist_arch(arch): filter.add_arch(arch)
    for rule in profile.get('syscalls', []):
        result = action(rule['action'], rule.get('errnoRet', 1))
        if result == default: continue
        args = rule.get('args', [])
        twice = len(set(a['index'] for a in args)) < len(args)
        for name in rule['names']:
            if s.resolve_syscall(s.Arch(), name) == -1: continue
            for group in ([[a] for a in args] if twice else [args]):
                filter.add_rule(result, name, *[condition(a) for a in group])
    with tempfile.TemporaryFile() as out:
        filter.export_bpf(out)
        out.seek(0)
        return out.read().hex()
def answer(profile):
    try: return compile(profile)
    except Exception as error: return 'error: %r' % error
print(json.dumps([answer(p) for p in json.load(sys.stdin)]))
`;

/** Why libseccomp cannot be asked, or undefined when it can. */
export function libseccompUnusable(): string | undefined {
  const python = findProgram('python3');
  if (process.arch !== 'x64') return 'compares on x86_64';
  if (python === undefined) return 'needs python3';
  try {
    execFileSync(python, ['-c', 'import seccomp'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'needs python3-seccomp';
  }
}

/** The filter of each profile, or undefined where libseccomp refuses it. */
export function libseccompFilters(profiles: readonly SeccompProfile[]): (Buffer | undefined)[] {
  const input = JSON.stringify(profiles, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  const output = execFileSync(findProgram('python3') ?? '', ['-c', SCRIPT], { input, encoding: 'utf8' });
  const answers = JSON.parse(output) as string[];
  return answers.map((answer) => (answer.startsWith('error:') ? undefined : Buffer.from(answer, 'hex')));
}
