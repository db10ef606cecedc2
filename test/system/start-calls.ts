// The system calls of one start, from the output of `strace -f`: whose they are, and which are not berth's to decide on.

export type StartCalls = {
  /** Calls that berth makes: process → call → how often. */
  readonly counted: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Calls of V8, of the event loop, and of glibc's posix_spawn. */
  readonly left: ReadonlyMap<string, ReadonlyMap<string, number>>;
};

/** V8's memory and threads; the event loop's polling; signal handlers that posix_spawn resets one by one. */
const NOT_OURS =
  /^(futex|mmap|munmap|mprotect|madvise|sched_\w+|epoll_\w+|io_uring_enter|eventfd2|rt_sigaction|rt_sigprocmask)$/;

/** From the first mkdir of the directory of container `id` up to the execve of `program` in it. Pure. */
export function parseStartCalls(trace: string, id: string, program: string): StartCalls {
  const lines = trace.split('\n');
  const first = lines.findIndex((line) => line.includes('mkdir(') && line.includes(`/containers/${id}"`));
  const last = lines.findIndex((line, index) => index > first && line.includes(`execve("${program}"`));
  if (first === -1 || last === -1) throw new Error('There is no whole start in the trace');
  const counted = new Map<string, Map<string, number>>();
  const left = new Map<string, Map<string, number>>();
  for (const line of lines.slice(first, last + 1)) {
    const { pid, call } = /^(?<pid>\d+) +(?<call>\w+)\(/.exec(line)?.groups ?? {};
    if (pid === undefined || call === undefined) continue; // the second half of a call, or a signal
    // The tapes themselves map no memory, but the monitor lets go of some.
    add(NOT_OURS.test(call) && !line.includes('munmap(0x4') ? left : counted, pid, call);
  }
  return { counted, left };
}

function add(processes: Map<string, Map<string, number>>, pid: string, call: string): void {
  const calls = processes.get(pid) ?? new Map<string, number>();
  calls.set(call, (calls.get(call) ?? 0) + 1);
  processes.set(pid, calls);
}

/** Of all processes. */
export function totalOf(processes: StartCalls['counted']): number {
  return [...processes.values()].flatMap((calls) => [...calls.values()]).reduce((sum, count) => sum + count, 0);
}

/** A line a process: how many, and which. */
export function formatCalls(processes: StartCalls['counted'], names: readonly string[]): string[] {
  return [...processes.values()].map((calls, index) => {
    const most = [...calls].sort(([, a], [, b]) => b - a).map(([call, count]) => `${call} ${count}`);
    const total = [...calls.values()].reduce((sum, count) => sum + count, 0);
    return `${names[index] ?? 'other'}: ${total} = ${most.join(', ')}`;
  });
}
