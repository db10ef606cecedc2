// Run the git program so that nothing but its arguments decides what it does (CVE-2024-32002, CVE-2024-32465, …).
import { spawn, type ChildProcess } from 'node:child_process';

import type { GitProtocol } from './parse-source.ts';
import { SourceError } from './source.ts';

export type GitOptions = {
  /** The bare repository, or undefined for a command that needs none. */
  readonly gitDir: string | undefined;
  /** The one protocol that may be spoken; undefined: none. */
  readonly protocol: GitProtocol | undefined;
  /** Sent as an HTTP header. Handed over in the environment, so that no list of processes shows it. */
  readonly header?: { readonly url: string; readonly value: string } | undefined;
  /** Which key ssh shows, and which hosts it believes; undefined: those of the agent's user. */
  readonly ssh?: { readonly key: string | undefined; readonly knownHosts: string | undefined } | undefined;
  /** Of any file that git writes, a pack say. The kernel ends a git that goes beyond. */
  readonly maxFileBytes?: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly input?: string;
  /** A file descriptor that takes the output instead of memory. */
  readonly outputFd?: number;
};

export type GitResult = { readonly exitCode: number; readonly output: Buffer; readonly complaint: string };

/** Of the output, in memory. Manifests are bounded before they are asked for. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_COMPLAINT_CHARS = 2000;
const MAX_FILE_BYTES = 8 * 1024 * 1024 * 1024;
/** What the shell's `ulimit -f` counts in (POSIX). */
const BLOCK_BYTES = 512;

/**
 * Run git and collect its output. Rejects with SourceError SOURCE_IO when it cannot be run, does not end in time, or
 * says too much; and when `signal` aborts. A non-zero exit code is a result. Its processes end with it.
 */
export async function runGit(args: readonly string[], options: GitOptions): Promise<GitResult> {
  options.signal.throwIfAborted();
  const blocks = Math.ceil((options.maxFileBytes ?? MAX_FILE_BYTES) / BLOCK_BYTES);
  const limit = `ulimit -f ${blocks}; exec git "$@"`;
  const child = spawn('/bin/sh', ['-c', limit, 'git', ...configuration(options), ...args], {
    env: environment(options),
    stdio: ['pipe', options.outputFd ?? 'pipe', 'pipe'],
    // Its own process group: helpers such as git-remote-https end with it.
    detached: true,
  });
  const killed = Promise.withResolvers<never>();
  const kill = (reason: Error) => {
    killGroup(child);
    killed.reject(reason);
  };
  const [command = ''] = args;
  const onAbort = () => kill(new SourceError('SOURCE_IO', `git ${command} was cut short`));
  const tooSlow = () =>
    kill(new SourceError('SOURCE_UNREACHABLE', `git ${command} took more than ${options.timeoutMs} ms`));
  const timer = setTimeout(tooSlow, options.timeoutMs);
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([collect(child, options, kill), killed.promise]);
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', onAbort);
  }
}

async function collect(child: ChildProcess, { input }: GitOptions, kill: (reason: Error) => void): Promise<GitResult> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let complaint = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) kill(new SourceError('SOURCE_INVALID', 'The source is too large to read'));
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-MAX_COMPLAINT_CHARS);
  });
  // EPIPE: git ended without reading all of it; its exit code tells why.
  child.stdin?.on('error', () => {}).end(input ?? '');
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.on('error', (error) =>
    reject(new SourceError('SOURCE_IO', `Cannot run git: ${error.message}`, { cause: error })),
  );
  child.on('close', (code) => resolve(code ?? 128));
  const exitCode = await promise;
  return { exitCode, output: Buffer.concat(chunks), complaint: complaint.trim() };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // ESRCH: it has just ended by itself.
  }
}

/** On the command line, where it wins over every file. */
function configuration({ protocol }: GitOptions): string[] {
  const settings = [
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.symlinks=false',
    'core.fsync=all',
    'protocol.allow=never',
    ...(protocol === undefined ? [] : [`protocol.${transport(protocol)}.allow=always`]),
    'transfer.fsckObjects=true',
    'transfer.bundleURI=false',
    // Larger blobs are written as they come, and never held in memory.
    'core.bigFileThreshold=16m',
    'fetch.recurseSubmodules=false',
    'submodule.recurse=false',
    'credential.helper=',
    'gc.autoDetach=false',
    'gc.auto=1000',
    'gc.autoPackLimit=10',
    'maintenance.auto=false',
    // A stalled connection ends long before the timeout of the whole.
    'http.lowSpeedLimit=100',
    'http.lowSpeedTime=30',
    'http.followRedirects=false',
  ];
  return settings.flatMap((setting) => ['-c', setting]);
}

/** What git calls it: it opens a bundle as it opens a repository on this machine. */
function transport(protocol: GitProtocol): string {
  return protocol === 'bundle' ? 'file' : protocol;
}

/** Paths come from options whose characters need no quoting (source-options.ts). */
function sshCommand(ssh: GitOptions['ssh']): string {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', 'ConnectTimeout=15', 'ClearAllForwardings=yes'];
  if (ssh?.key !== undefined) options.push(`IdentityFile=${ssh.key}`, 'IdentitiesOnly=yes', 'IdentityAgent=none');
  if (ssh?.knownHosts !== undefined) {
    options.push(`UserKnownHostsFile=${ssh.knownHosts}`, 'GlobalKnownHostsFile=/dev/null', 'UpdateHostKeys=no');
  }
  return ['ssh', ...options.map((option) => `-o ${option}`)].join(' ');
}

function environment({ gitDir, protocol, header, ssh }: GitOptions): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    // Where ssh finds its key and known hosts.
    HOME: process.env['HOME'] ?? '/root',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS_REQUIRE: 'never',
    GIT_SSH_COMMAND: sshCommand(ssh),
    GIT_SSH_VARIANT: 'ssh',
    GIT_ALLOW_PROTOCOL: protocol === undefined ? 'none' : transport(protocol),
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    ...(gitDir === undefined ? {} : { GIT_DIR: gitDir }),
    ...(header === undefined
      ? {}
      : {
          GIT_CONFIG_COUNT: '1',
          GIT_CONFIG_KEY_0: `http.${header.url}.extraHeader`,
          GIT_CONFIG_VALUE_0: header.value,
        }),
  };
}
