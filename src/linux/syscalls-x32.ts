// System calls that x32 has numbers of its own for, without the x32 bit: Linux, arch/x86/entry/syscalls/syscall_64.tbl, "x32".
// The form is described at `parseSyscallTable`.
export const X32_OWN_SYSCALLS = `
@512 rt_sigaction rt_sigreturn ioctl readv writev recvfrom sendmsg recvmsg execve ptrace rt_sigpending rt_sigtimedwait
rt_sigqueueinfo sigaltstack timer_create mq_notify kexec_load waitid set_robust_list get_robust_list vmsplice move_pages
preadv pwritev rt_tgsigqueueinfo recvmmsg sendmmsg process_vm_readv process_vm_writev setsockopt getsockopt io_setup
io_submit execveat preadv2 pwritev2
`;
