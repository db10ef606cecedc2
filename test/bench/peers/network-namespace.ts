// A network of its own for peers that make bridges and packet filter rules: the machine's stays as it is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import type { Scene } from '../scene.ts';

const HOLD = 'ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward; echo ready; read _';

/** What runs a program in a new network namespace: words to put before it. The namespace ends with the scene. */
export async function networkNamespace({ cleanup }: Scene): Promise<readonly string[]> {
  const holder = spawn('unshare', ['--net', 'sh', '-c', HOLD], { stdio: ['pipe', 'pipe', 'inherit'] });
  cleanup.defer(async () => {
    const ended = once(holder, 'exit');
    holder.stdin.end();
    await ended;
  });
  await once(holder.stdout, 'data');
  return ['/usr/bin/nsenter', `--net=/proc/${holder.pid}/ns/net`, '--'];
}
