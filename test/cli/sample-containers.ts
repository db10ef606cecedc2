// Containers for tests of commands: a test names the fields it is about.
import type { ContainerView } from '../../src/cli/containers.ts';

export const NOW: number = Date.parse('2026-01-02T03:04:05Z');

export function sampleView(overrides: Partial<ContainerView> = {}): ContainerView {
  return {
    id: '0123456789abcdef0123456789abcdef',
    name: 'web-0/nginx',
    namespace: 'default',
    pod: 'web-0',
    podUid: 'uid-web-0',
    container: 'nginx',
    owner: 'Deployment',
    workload: 'web',
    image: 'docker.io/library/nginx:1.27',
    imageDigest: 'sha256:feed',
    status: 'running',
    pid: 4711,
    restarts: 0,
    createdAt: '2026-01-02T03:00:00.000Z',
    ports: [],
    ...overrides,
  };
}
