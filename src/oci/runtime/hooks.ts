// The hooks of config.json (config.md "POSIX-platform Hooks", runtime.md "Lifecycle"): in which order, where, and what their
// failure means.
//
//   create   prestart, createRuntime (host) ─▶ createContainer (container, the host's files in view)   a failure undoes the create
//   start    startContainer (container) ─▶ the program ─▶ poststart (host)      a failure ends the container
//   delete   poststop (host)                                                    a failure is a warning
import type { Cgroup } from '../../linux/cgroup/cgroup.ts';
import { OciError } from '../error.ts';
import type { Hook, HookName, RuntimeConfig } from './config.ts';
import type { HookPlace } from './container-hook.ts';
import type { runHostHook } from './host-hook.ts';
import { hookState, pidInside, type HookStatus, type HookSubject } from './hook-state.ts';
import { startIdentity } from './hook-identity.ts';
import { hasOwnMounts, hasUserNamespace } from './namespaces-of.ts';
import type { Runtime } from './runtime.ts';

const STATUS: Readonly<Record<HookName, HookStatus>> = {
  prestart: 'creating',
  createRuntime: 'creating',
  createContainer: 'creating',
  startContainer: 'created',
  poststart: 'running',
  poststop: 'stopped',
};

/** Move network devices in, and run the hooks of create. `rootfs` is where the root is in the container's mounts. Rejects with OciError HOOK_FAILED. */
export async function runCreateHooks(
  runtime: Runtime,
  subject: HookSubject,
  { cgroup, rootfs }: { readonly cgroup: Cgroup; readonly rootfs: string },
): Promise<void> {
  const { netDevices, ...linux } = subject.config.linux ?? {};
  if (netDevices !== undefined)
    await import('./net-devices.ts').then((it) => it.moveNetDevices(subject.pid, { ...linux, netDevices }));
  await runHostHooks('prestart', subject);
  await runHostHooks('createRuntime', subject);
  const place = {
    pid: subject.pid,
    cgroup,
    user: hasUserNamespace(subject.config),
    identity: [],
    sharedRoot: !hasOwnMounts(subject.config),
    bounding: runtime.capabilities,
  };
  await runInside(runtime, 'createContainer', { subject, place, cwd: rootfs });
}

/** Run the hooks of start, before the program, as the user of the program. Rejects with OciError HOOK_FAILED. */
export async function runStartHooks(runtime: Runtime, subject: HookSubject, cgroup: Cgroup): Promise<void> {
  const { identity, bounding } = startIdentity(runtime, subject.config);
  const { config, pid } = subject;
  const [user, sharedRoot] = [hasUserNamespace(config), !hasOwnMounts(config)];
  const place = { pid, cgroup, user, sharedRoot, identity, bounding };
  await runInside(runtime, 'startContainer', { subject, place, cwd: '/' });
}

/** Run the poststart hooks. Rejects with OciError HOOK_FAILED where the configuration is of version 1.3 or newer; else it warns. */
export async function runPoststartHooks(runtime: Runtime, subject: HookSubject): Promise<void> {
  if (isFatal(subject.config.ociVersion)) return runHostHooks('poststart', subject);
  return warnInstead(runtime, 'poststart', subject);
}

/** Run the poststop hooks, each whatever became of the others. Failures are warnings. */
export function runPoststopHooks(runtime: Runtime, subject: HookSubject): Promise<void> {
  return warnInstead(runtime, 'poststop', subject);
}

/** Up to version 1.2, runtime.md has a failed poststart hook logged; from 1.3 on it stops the container. */
function isFatal(ociVersion: string): boolean {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)\./.exec(ociVersion) ?? [];
  return Number(major) > 1 || Number(minor) >= 3;
}

async function warnInstead(runtime: Runtime, name: 'poststart' | 'poststop', subject: HookSubject): Promise<void> {
  for (const [index, hook] of hooksOf(name, subject.config).entries()) {
    try {
      await runOnHost({ hook, state: hookState(subject, STATUS[name]), cwd: subject.bundle });
    } catch (error) {
      runtime.warn(hookError(name, index, error).message);
    }
  }
}

async function runHostHooks(name: HookName, subject: HookSubject): Promise<void> {
  for (const [index, hook] of hooksOf(name, subject.config).entries()) {
    try {
      await runOnHost({ hook, state: hookState(subject, STATUS[name]), cwd: subject.bundle });
    } catch (error) {
      throw hookError(name, index, error);
    }
  }
}

/** What runs a hook is loaded where there is one, which is seldom. */
async function runOnHost(call: Parameters<typeof runHostHook>[0]): Promise<void> {
  const { runHostHook: run } = await import('./host-hook.ts');
  await run(call);
}

type Inside = { readonly subject: HookSubject; readonly place: HookPlace; readonly cwd: string };

/** What they read has the pid as the container's pid namespace has it. */
async function runInside(runtime: Runtime, name: HookName, { subject, place, cwd }: Inside): Promise<void> {
  const hooks = hooksOf(name, subject.config);
  if (hooks.length === 0) return;
  const { runContainerHook } = await import('./container-hook.ts');
  const state = hookState({ ...subject, pid: pidInside(subject.pid) }, STATUS[name]);
  for (const [index, hook] of hooks.entries()) {
    try {
      await runContainerHook(runtime, { hook, state, cwd }, place);
    } catch (error) {
      throw hookError(name, index, error);
    }
  }
}

function hooksOf(name: HookName, { hooks = {} }: RuntimeConfig): readonly Hook[] {
  return hooks[name] ?? [];
}

function hookError(name: HookName, index: number, error: unknown): OciError {
  const reason = error instanceof Error ? error.message : String(error);
  return new OciError('HOOK_FAILED', `error running ${name} hook #${index}: ${reason}`, { cause: error });
}
