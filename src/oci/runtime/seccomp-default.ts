// The seccomp profile of a container that asks for none. The policy is that of Docker's default profile, as far as it
// concerns x86_64 and arm64: everything that ordinary programs call is allowed, what reaches beyond the container is
// behind the capability that the kernel asks for anyway, and the rest (key rings, io_uring, userfaultfd, …) is EPERM.
import type { Seccomp, SeccompArgument, SeccompRule } from './config.ts';

const EPERM = 1;
const ENOSYS = 38;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const CLONE_NEW_MASK = 0x7e020000;

const AF_ALG = 38;
/**
 * Every family but AF_ALG (38, the kernel's crypto, source of many exploits) and AF_VSOCK (40, reaches the hypervisor).
 * The kernel takes an int and the filter sees 64 bits: an open-ended `> 40` would let 2^32+38 through.
 */
const FAMILIES_ABOVE_ALG = [39, 41, 42, 43, 44, 45];

/** PER_LINUX, PER_LINUX32, UNAME26, both, and the question which one is set. Others weaken address randomisation. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

const ALLOWED = words(`
  read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek readahead
  sendfile sendfile64 splice tee vmsplice copy_file_range sync syncfs fsync fdatasync sync_file_range
  sync_file_range2 arm_sync_file_range fadvise64 fadvise64_64 arm_fadvise64_64 fallocate truncate truncate64
  ftruncate ftruncate64 cachestat
  open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 flock ioctl pipe pipe2 memfd_create
  memfd_secret name_to_handle_at
  stat lstat fstat stat64 lstat64 fstat64 fstatat64 newfstatat statx statfs fstatfs statfs64 fstatfs64 statmount
  listmount access faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd chdir fchdir umask
  mkdir mkdirat mknod mknodat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat
  chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat chown32 fchown32 lchown32
  utime utimes futimesat utimensat utimensat_time64
  getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr removexattr
  lremovexattr fremovexattr getxattrat setxattrat listxattrat removexattrat file_getattr file_setattr
  inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark
  poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl
  epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4
  io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64

  brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall
  remap_file_pages membarrier mseal map_shadow_stack pkey_alloc pkey_free pkey_mprotect

  fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp
  setpgid getsid setsid set_tid_address set_robust_list get_robust_list set_thread_area get_thread_area
  arch_prctl modify_ldt set_tls get_tls cacheflush breakpoint uretprobe uprobe rseq prctl seccomp
  landlock_create_ruleset landlock_add_rule landlock_restrict_self restart_syscall
  ptrace process_vm_readv process_vm_writev process_mrelease pidfd_open pidfd_send_signal
  futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue
  getrlimit ugetrlimit setrlimit prlimit64 getrusage getpriority setpriority ioprio_get ioprio_set
  sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
  sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
  sched_rr_get_interval_time64 getcpu sysinfo uname getrandom

  kill tkill tgkill pause alarm signal sigaction sigaltstack sigpending sigprocmask sigreturn sigsuspend
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 rt_tgsigqueueinfo

  getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid setresuid
  setresgid setfsuid setfsgid setgroups getuid32 geteuid32 getgid32 getegid32 getresuid32 getresgid32
  getgroups32 setuid32 setgid32 setreuid32 setregid32 setresuid32 setresgid32 setfsuid32 setfsgid32
  setgroups32 capget capset

  time times gettimeofday adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64
  clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 nanosleep getitimer setitimer
  timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
  timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64

  socketpair bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt shutdown
  send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64

  ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
  mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
  mq_unlink
`);

const BEHIND: Readonly<Record<string, readonly string[]>> = {
  CAP_DAC_READ_SEARCH: words('open_by_handle_at'),
  CAP_SYS_ADMIN: words(`
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
    lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree open_tree_attr
    perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare
  `),
  CAP_BPF: words('bpf'),
  CAP_PERFMON: words('perf_event_open'),
  CAP_SYSLOG: words('syslog'),
  CAP_SYS_BOOT: words('reboot'),
  CAP_SYS_CHROOT: words('chroot'),
  CAP_SYS_MODULE: words('init_module finit_module delete_module'),
  CAP_SYS_NICE: words('get_mempolicy set_mempolicy mbind set_mempolicy_home_node'),
  CAP_SYS_PACCT: words('acct'),
  CAP_SYS_PTRACE: words('kcmp pidfd_getfd process_madvise'),
  CAP_SYS_RAWIO: words('iopl ioperm'),
  CAP_SYS_TIME: words('settimeofday stime clock_settime clock_settime64'),
  CAP_SYS_TTY_CONFIG: words('vhangup'),
};

/** The 32-bit ABI of an image, by the architecture in its OCI platform. */
const NARROW: Readonly<Record<string, string>> = { '386': 'SCMP_ARCH_X86', arm: 'SCMP_ARCH_ARM' };

export type SeccompSubject = {
  /** The capabilities the container may have (`CAP_…`): each opens the calls that it is needed for. */
  readonly capabilities: readonly string[];
  /** The architecture of the image's OCI platform (`amd64`, `arm64`, `386`, `arm`). */
  readonly architecture: string;
};

/**
 * The default profile, computed for one set of capabilities. What is said of one call does not overlap.
 *
 * 32-bit system calls are filtered by the same rules for a 32-bit image, and kill in any other: on x86 they
 * include socketcall(2), which hides the address family behind a pointer that no filter can read.
 */
export function defaultSeccomp({ capabilities, architecture }: SeccompSubject): Seccomp {
  const narrow = NARROW[architecture];
  const granted = capabilities.flatMap((name) => BEHIND[name] ?? []);
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: narrow === undefined ? [] : [narrow],
    syscalls: [
      allow(ALLOWED),
      ...(granted.length === 0 ? [] : [allow([...new Set(granted)])]),
      ...(architecture === '386' ? [allow(['socketcall'])] : []),
      when('socket', 'SCMP_CMP_LT', AF_ALG),
      ...FAMILIES_ABOVE_ALG.map((family) => when('socket', 'SCMP_CMP_EQ', family)),
      ...PERSONALITIES.map((persona) => when('personality', 'SCMP_CMP_EQ', persona)),
      // clone3 passes its flags behind a pointer that no filter can read; ENOSYS makes libc use clone instead.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      {
        names: ['clone'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 0, op: 'SCMP_CMP_MASKED_EQ', value: CLONE_NEW_MASK, valueTwo: 0 }],
      },
    ],
  };
}

function allow(names: readonly string[]): SeccompRule {
  return { names, action: 'SCMP_ACT_ALLOW' };
}

function when(name: string, op: SeccompArgument['op'], value: number): SeccompRule {
  return { names: [name], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, op, value }] };
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
