// Every command: its line in the help, and where it is. A command is loaded when it is called, so that none pays for another.
import type { Command } from './command.ts';

export type CatalogEntry = {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
};

export const GROUPS = ['Desired state', 'Look', 'Containers', 'Images', 'Machine'] as const;
export type Group = (typeof GROUPS)[number];

const desired: Group = 'Desired state';
const look: Group = 'Look';
const containers: Group = 'Containers';
const images: Group = 'Images';
const machine: Group = 'Machine';

export const CATALOG: readonly CatalogEntry[] = [
  {
    name: 'agent',
    group: desired,
    summary: 'Keep this machine equal to directories and Git repositories',
    load: () => import('./commands/agent.ts'),
  },
  {
    name: 'validate',
    group: desired,
    summary: 'Check manifests; name file, line and column of every mistake',
    load: () => import('./commands/validate.ts'),
  },
  {
    name: 'plan',
    group: desired,
    summary: 'Show what the agent would do, and why',
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'get',
    group: desired,
    summary: 'Show workloads and their conditions',
    load: () => import('./commands/get.ts'),
  },
  { name: 'ps', group: look, summary: 'List containers', load: () => import('./commands/ps.ts') },
  { name: 'logs', group: look, summary: 'Print what a container wrote', load: () => import('./commands/logs.ts') },
  { name: 'events', group: look, summary: 'Print what was done, and why', load: () => import('./commands/events.ts') },
  {
    name: 'why',
    group: look,
    summary: 'Explain the state of a workload, a pod or a container',
    load: () => import('./commands/why.ts'),
  },
  {
    name: 'stats',
    group: look,
    summary: 'Show the processor, memory and network that containers use',
    load: () => import('./commands/stats.ts'),
  },
  {
    name: 'tape',
    group: look,
    summary: 'Print the system calls that start a container',
    load: () => import('./commands/tape.ts'),
  },
  {
    name: 'run',
    group: containers,
    summary: 'Run a container without a manifest',
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'exec',
    group: containers,
    summary: 'Run a program in a running container',
    load: () => import('./commands/exec.ts'),
  },
  {
    name: 'attach',
    group: containers,
    summary: 'Sit down at the terminal of a container again',
    load: () => import('./commands/attach.ts'),
  },
  {
    name: 'stop',
    group: containers,
    summary: 'Ask containers to end, kill them when they do not',
    load: () => import('./commands/stop.ts'),
  },
  {
    name: 'start',
    group: containers,
    summary: 'Start stopped containers again',
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'kill',
    group: containers,
    summary: 'Send a signal to containers',
    load: () => import('./commands/kill.ts'),
  },
  { name: 'rm', group: containers, summary: 'Remove containers', load: () => import('./commands/rm.ts') },
  {
    name: 'pull',
    group: images,
    summary: 'Fetch an image from its registry',
    load: () => import('./commands/pull.ts'),
  },
  { name: 'images', group: images, summary: 'List images', load: () => import('./commands/images.ts') },
  {
    name: 'image',
    group: images,
    summary: 'Inspect, tag, remove, prune, import or export images',
    load: () => import('./commands/image.ts'),
  },
  {
    name: 'volume',
    group: machine,
    summary: 'List, inspect, remove, prune, back up or restore named volumes',
    load: () => import('./commands/volume.ts'),
  },
  {
    name: 'doctor',
    group: machine,
    summary: 'Check what this machine can do, and what is missing',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'reset',
    group: machine,
    summary: 'Stop and remove all containers, pods and networks',
    load: () => import('./commands/reset.ts'),
  },
];
