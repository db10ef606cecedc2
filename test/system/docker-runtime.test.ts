// Docker with `--add-runtime berth=berth-oci`: ordinary commands, compared with the same under runc. The daemon is one of the
// test's own, on a socket of its own, and touches no network of the host.
import test from 'ava';

import { containersUnusable } from './busybox-bundle.ts';
import { BERTH_OCI, compareRuntimes, runToEnd, type RunEngine, type Step } from './engine-comparison.ts';
import { IMAGE, writeEngineImage } from './engine-image.ts';
import { EngineScene } from './engine-scene.ts';

const unusable = containersUnusable('dockerd', 'docker', 'containerd', 'runc');
const scene = unusable === undefined ? new EngineScene() : undefined;
if (scene !== undefined) test.after.always('everything is put away', () => scene[Symbol.asyncDispose]());

const MADE = ['--network', 'none'];
const LOOP = 'trap "exit 3" TERM; echo started; while :; do sleep 0.1; done';

const once = (...words: readonly string[]): readonly string[] => ['run', '--rm', ...MADE, ...words];
const shell = (script: string, ...options: readonly string[]): readonly string[] =>
  once(...options, IMAGE, 'sh', '-c', script);
/** berth has no part in the hierarchies that it does not use, so none of those is mounted. */
const withoutHierarchies = (output: string): string => output.replaceAll(/^\/sys\/fs\/cgroup\/.*\n/gm, '');
const memoryLimit = ['cat', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];

const STEPS: Readonly<Record<string, Step>> = {
  'a command': { words: once(IMAGE, 'echo', 'hi'), output: /^hi\n$/ },
  'its exit code': { words: shell('exit 7'), code: 7 },
  'a program that is not there': { words: once(IMAGE, 'nope'), code: 127, complaint: /not found in \$PATH/ },
  'a path that is not there': { words: once(IMAGE, '/nope'), code: 127, complaint: /no such file or directory/ },
  'a file that is no program': { words: once(IMAGE, '/etc/passwd'), code: 126, complaint: /permission denied/ },
  'a command line that is wrong': { words: ['run', '--no-such-flag'], code: 125 },
  'a user, a directory, a variable, a name': {
    words: shell('pwd; echo $A $HOME; id; hostname', '-w', '/tmp', '-e', 'A=b', '-u', 'app', '--hostname', 'h'),
    output: /^\/tmp\nb \/tmp\nuid=1000\(app\) gid=1000\(app\).*\nh\n$/,
  },
  'a directory that is made': { words: shell('pwd', '-w', '/made/here'), output: /^\/made\/here\n$/ },
  'standard input': { words: once('-i', IMAGE, 'cat'), input: 'through\n', output: /^through\n$/ },
  'a terminal': { words: once('-t', IMAGE, 'tty'), output: /^\/dev\/pts\/0\n$/ },
  'a root that cannot be written': {
    words: shell('touch /x; touch /t/x && echo ok', '--read-only', '--tmpfs', '/t'),
    output: /^ok\n$/,
    complaint: /Read-only file system/,
  },
  'no capability': { words: shell('grep Cap /proc/self/status', '--cap-drop', 'ALL'), output: /CapEff:\t0{16}\n/ },
  'one more capability': { words: shell('grep Cap /proc/self/status', '--cap-add', 'NET_ADMIN') },
  'no new privileges': {
    words: shell('grep -E "NoNewPrivs|Seccomp:" /proc/self/status', '--security-opt', 'no-new-privileges'),
    output: /NoNewPrivs:\t1\nSeccomp:\t2\n/,
  },
  'no seccomp': { words: shell('grep Seccomp: /proc/self/status', '--security-opt', 'seccomp=unconfined') },
  'a volume': { words: shell('ls /v; touch /v/x', '-v', '/etc/apt:/v:ro'), code: 1, complaint: /Read-only/ },
  'a masked path': { words: shell('cat /proc/kcore | wc -c; ls /proc/acpi /sys/firmware'), output: /^0\n/ },
  'all mounts': { words: shell('cut -d" " -f5 /proc/self/mountinfo | sort'), normal: withoutHierarchies },
  'a setting of the kernel': {
    words: shell('cat /proc/sys/net/core/somaxconn', '--sysctl', 'net.core.somaxconn=77'),
    output: /^77\n$/,
  },
  'the size of shared memory': { words: shell('df -k /dev/shm | tail -1', '--shm-size', '8m'), output: /8192/ },
  'an init': { words: shell('cat /proc/1/comm', '--init'), output: /init/ },
  'the network of the host': {
    words: ['run', '--rm', '--network', 'host', IMAGE, 'ls', '/sys/class/net'],
    output: /^lo$/m,
  },
  processors: { words: shell('cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us', '--cpus', '0.5'), output: /^50000\n$/ },
  'a container in the background': {
    words: ['run', '-d', '--name', 'NAME', ...MADE, '--memory', '64m', '--pids-limit', '50', IMAGE, 'sh', '-c', LOOP],
  },
  'its logs': { words: ['logs', 'NAME'], output: /^started\n$/, eventually: true },
  'its limit': { words: ['exec', 'NAME', ...memoryLimit], output: /^67108864\n$/ },
  exec: { words: ['exec', 'NAME', 'sh', '-c', 'echo in; exit 5'], code: 5, output: /^in\n$/ },
  'exec as another': {
    words: ['exec', '-e', 'X=y', '-w', '/tmp', '-u', 'app', 'NAME', 'sh', '-c', 'echo $X $HOME; pwd; id'],
    output: /^y \/tmp\n\/tmp\nuid=1000/,
  },
  'exec in a terminal': { words: ['exec', '-t', 'NAME', 'tty'], output: /^\/dev\/pts\/\d+\n$/ },
  'exec of nothing': { words: ['exec', 'NAME', 'nope'], code: 126, output: /not found in \$PATH/, normal: onlyReason },
  'exec in the background': { words: ['exec', '-d', 'NAME', 'touch', '/tmp/x'] },
  'its processes': {
    words: ['top', 'NAME', '-o', 'pid,comm'],
    output: /^PID COMMAND\nPID sh\n/,
    normal: (output) => output.replaceAll(/\d+/g, 'PID').replaceAll(/ +/g, ' ').slice(0, 19),
  },
  'its numbers': {
    words: ['stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}}', 'NAME'],
    output: /^NAME \d+\n$/,
    normal: (output) => output.replace(/\d+\n$/, '2\n'),
  },
  pause: { words: ['pause', 'NAME'] },
  paused: { words: ['inspect', '--format', '{{.State.Status}}', 'NAME'], output: /^paused\n$/ },
  'exec where it is paused': { words: ['exec', 'NAME', 'true'], code: 1, complaint: /is paused/ },
  unpause: { words: ['unpause', 'NAME'] },
  update: { words: ['update', '--memory', '80m', '--memory-swap', '80m', '--cpus', '0.5', 'NAME'] },
  updated: { words: ['exec', 'NAME', ...memoryLimit], output: /^83886080\n$/ },
  kill: { words: ['kill', '-s', 'TERM', 'NAME'] },
  wait: { words: ['wait', 'NAME'], output: /^3\n$/ },
  inspect: { words: ['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'NAME'], output: /^exited 3\n$/ },
  start: { words: ['start', 'NAME'] },
  restart: { words: ['restart', '-t', '5', 'NAME'] },
  stop: { words: ['stop', '-t', '5', 'NAME'] },
  'start again': { words: ['start', 'NAME'] },
  'kill for good': { words: ['kill', 'NAME'] },
  'wait for that': { words: ['wait', 'NAME'], output: /^137\n$/ },
  remove: { words: ['rm', '-f', 'NAME'] },
  create: { words: ['create', '--name', 'NAME', ...MADE, IMAGE, 'sh', '-c', 'echo attached; exit 4'] },
  'start attached': { words: ['start', '-a', 'NAME'], code: 4, output: /^attached\n$/ },
  'remove that': { words: ['rm', 'NAME'] },
  'a health check': {
    words: [
      'run',
      '-d',
      '--name',
      'NAME',
      ...MADE,
      '--health-cmd',
      'true',
      '--health-interval',
      '1s',
      IMAGE,
      'sleep',
      '1000',
    ],
  },
  healthy: {
    words: ['inspect', '--format', '{{.State.Health.Status}}', 'NAME'],
    output: /^healthy\n$/,
    eventually: true,
  },
  'out of memory': { words: shell('tail /dev/zero', '-m', '16m'), code: 137 },
  'remove by force': { words: ['rm', '-f', 'NAME'] },
  'nothing is left': { words: ['ps', '-aq', '--filter', 'name=NAME'], output: /^$/ },
};

/** What an engine's own words stand around. */
function onlyReason(output: string): string {
  return /executable file not found in \$PATH/.exec(output)?.[0] ?? output;
}

async function start(): Promise<RunEngine> {
  if (scene === undefined) throw new Error(`skipped: ${unusable}`);
  const host = `unix://${scene.path('docker.sock')}`;
  const docker = (...words: readonly string[]): readonly string[] => ['docker', '--host', host, ...words];
  const place = ['--data-root', scene.path('root'), '--exec-root', scene.path('run'), '--pidfile', scene.path('pid')];
  const network = [
    '--bridge',
    'none',
    '--iptables=false',
    '--ip6tables=false',
    '--ip-forward=false',
    '--ip-masq=false',
  ];
  const runtimes = ['--add-runtime', `berth=${BERTH_OCI}`, '--cgroup-parent', scene.cgroupParent];
  await scene.daemon(['dockerd', '--host', host, ...place, ...network, ...runtimes], async () => {
    return (await runToEnd(docker('version'))).code === 0;
  });
  scene.defer(() => runToEnd(docker('rm', '-f', 'berth-1', 'runc-1')));
  const loaded = await runToEnd(docker('load', '-i', writeEngineImage(scene.directory)));
  if (loaded.code !== 0) throw new Error(`docker load: ${loaded.complaint}`);
  return (runtime, words, input) => {
    const [command = '', ...rest] = words;
    const made = ['run', 'create'].includes(command) ? ['--runtime', runtime] : [];
    return runToEnd(docker(command, ...made, ...rest), input);
  };
}

compareRuntimes({ name: 'docker', unusable }, STEPS, start);
