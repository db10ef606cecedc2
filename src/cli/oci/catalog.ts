// Every command of berth-oci, and where it lies.
import type { OciCommand } from './command.ts';

type Load = () => Promise<{ readonly command: OciCommand }>;

export const OCI_COMMANDS: Readonly<Record<string, Load>> = {
  checkpoint: () => import('./commands/checkpoint.ts'),
  create: () => import('./commands/create.ts'),
  delete: () => import('./commands/delete.ts'),
  events: () => import('./commands/events.ts'),
  exec: () => import('./commands/exec.ts'),
  features: () => import('./commands/features.ts'),
  kill: () => import('./commands/kill.ts'),
  list: () => import('./commands/list.ts'),
  pause: () => import('./commands/pause.ts'),
  ps: () => import('./commands/ps.ts'),
  restore: () => import('./commands/restore.ts'),
  resume: () => import('./commands/resume.ts'),
  run: () => import('./commands/run.ts'),
  spec: () => import('./commands/spec.ts'),
  start: () => import('./commands/start.ts'),
  state: () => import('./commands/state.ts'),
  update: () => import('./commands/update.ts'),
};
