// How x32 differs from x86_64: Linux, arch/x86/entry/syscalls/syscall_64.tbl.

/** Calls that it has numbers of its own for ("x32"), without the x32 bit, in the form that `parseSyscallTable` reads. */
export const X32_OWN_SYSCALLS = `
@512 rt_sigaction rt_sigreturn ioctl readv writev recvfrom sendmsg recvmsg execve ptrace rt_sigpending rt_sigtimedwait
rt_sigqueueinfo sigaltstack timer_create mq_notify kexec_load waitid set_robust_list get_robust_list vmsplice move_pages
preadv pwritev rt_tgsigqueueinfo recvmmsg sendmmsg process_vm_readv process_vm_writev setsockopt getsockopt io_setup
io_submit execveat preadv2 pwritev2
`;

/** Calls of x86_64 that x32 does not have ("64" in the same table). */
export const X32_MISSING_SYSCALLS = `
uselib _sysctl create_module get_kernel_syms query_module nfsservctl set_thread_area get_thread_area epoll_ctl_old
epoll_wait_old vserver uretprobe uprobe
`;
