import test from 'ava';

import { containerTable, statusText } from '../../src/cli/commands/ps.ts';
import { NOW, sampleView } from './sample-containers.ts';

test('the table has a line a container, with ports as docker prints them', (t) => {
  const ports = [
    { hostPort: 8080, containerPort: 80, protocol: 'TCP' },
    { hostIP: '::1', hostPort: 53, containerPort: 53, protocol: 'UDP' },
  ] as const;
  t.is(
    containerTable([sampleView({ ports, restarts: 3 }), sampleView({ name: 'box', image: 'busybox' })], NOW),
    [
      'ID             NAME          IMAGE                          STATUS         RESTARTS   PORTS',
      '0123456789ab   web-0/nginx   docker.io/library/nginx:1.27   running 4m5s   3          8080->80/tcp, [::1]:53->53/udp',
      '0123456789ab   box           busybox                        running 4m5s   0',
      '',
    ].join('\n'),
  );
});

test('an image’s name cannot drive the terminal', (t) => {
  t.false(containerTable([sampleView({ image: 'a\u001B[2J' })], NOW).includes('\u001B'));
});

test('how a container ended is said: its code, that nobody saw it, or that it never ran', (t) => {
  const ended = { status: 'exited', finishedAt: '2026-01-02T03:04:00.000Z' } as const;
  t.is(statusText(sampleView({ ready: true }), NOW), 'running 4m5s, ready');
  t.is(statusText(sampleView({ ready: false }), NOW), 'running 4m5s, not ready');
  t.is(statusText(sampleView({ ...ended, exitCode: 137 }), NOW), 'exited (137) 5s ago');
  t.is(statusText(sampleView({ status: 'exited' }), NOW), 'exited (?)');
  t.is(statusText(sampleView({ ...ended, startError: 'ENOENT' }), NOW), 'failed to start (ENOENT)');
  t.is(statusText(sampleView({ status: 'paused' }), NOW), 'paused 4m5s');
});
