// Commands are to start fast and the agent is to stay small: neither loads what it does not use.
import test from 'ava';

import { loadedModules, type LoadedModules } from '../tools/loaded-modules.ts';

const CLI = 'src/cli/main.ts';
/** Each takes milliseconds of a start. */
const SLOW_BUILTINS = ['child_process', 'http', 'https', 'internal/deps/undici/undici', 'tls', 'zlib'];

function heavyParts({ builtins, packages }: LoadedModules): string[] {
  const heavy = ['zod', 'yaml', 'prom-client', '@opentelemetry/api'].filter((name) => packages.has(name));
  return [...heavy, ...SLOW_BUILTINS.filter((name) => builtins.has(name))];
}

test('--version loads a handful of files, and no package', (t) => {
  const loaded = loadedModules([CLI, '--version']);
  t.true(loaded.own.includes('src/agent/version.ts'));
  t.true(loaded.own.length <= 10, loaded.own.join(' '));
  t.deepEqual([...loaded.packages], []);
  t.deepEqual(heavyParts(loaded), []);
});

/** Files of ours, each a third of a millisecond of a start: what is needed seldom is imported where it is needed. */
const MOST_FILES = { run: 225, exec: 185, ps: 130, stop: 125, rm: 130, logs: 130 };

for (const [command, most] of Object.entries(MOST_FILES)) {
  test(`${command} loads at most ${most} files of ours, and no package's script`, (t) => {
    const { own, packages } = loadedModules([CLI, command, '--help']);
    t.true(own.includes(`src/cli/commands/${command}.ts`));
    t.true(own.length <= most, `${own.length}`);
    t.deepEqual([...packages], []);
  });
}

test('run loads nothing of terminals, unpacking and user namespaces, and not all of node:util', (t) => {
  const { own, builtins } = loadedModules([CLI, 'run', '--help']);
  const seldom =
    /\/(?:terminal|terminal-session|user-namespace|seccomp-listener|copy-up|layer-work|layer-sync|file-workers|unpacking-sink)\.ts$/;
  t.deepEqual(
    own.filter((path) => seldom.test(path)),
    [],
  );
  // An import of node:util reads all that it exports, and loads this one.
  t.false(builtins.has('worker_threads'));
});

for (const command of ['run', 'exec', 'stop', 'rm']) {
  test(`${command} loads nothing of registries, manifests, metrics or bridges`, (t) => {
    const loaded = loadedModules([CLI, command, '--help']);
    t.true(loaded.own.includes(`src/cli/commands/${command}.ts`));
    t.deepEqual(heavyParts(loaded), []);
    const others = /^src\/(?:reconcile|oci\/image\/registry)\/|^src\/spec\/schema|nft-|\/(?:ensure|pod)-network\.ts$/;
    t.deepEqual(
      loaded.own.filter((path) => others.test(path)),
      [],
    );
  });
}

test('the OCI runtime loads nothing of images, networks or pods', (t) => {
  const loaded = loadedModules(['src/cli/oci-main.ts', '--root', '/nonexistent', 'start', 'none']);
  t.true(loaded.own.includes('src/oci/runtime/runtime.ts'));
  t.deepEqual(heavyParts(loaded), []);
  t.deepEqual(
    loaded.own.filter((path) =>
      /^src\/(?:agent|reconcile|spec)\/|^src\/oci\/(?:image\/registry|network|pod)\//.test(path),
    ),
    [],
  );
});

const MOST_OCI_FILES = { run: 172, exec: 153, start: 90, delete: 68, kill: 46, state: 36 };

for (const [command, most] of Object.entries(MOST_OCI_FILES)) {
  test(`the OCI runtime's ${command} loads at most ${most} files of ours`, (t) => {
    const { own } = loadedModules(['src/cli/oci-main.ts', '--root', '/nonexistent', command, 'none', 'program']);
    t.true(own.includes(`src/cli/oci/commands/${command}.ts`));
    t.true(own.length <= most, `${own.length}`);
  });
}

for (const command of ['state', 'list', 'kill', 'pause', 'ps']) {
  test(`the OCI runtime's ${command} loads nothing of tapes, seccomp and limits`, (t) => {
    const loaded = loadedModules(['src/cli/oci-main.ts', '--root', '/nonexistent', command, 'none']);
    t.true(loaded.own.includes(`src/cli/oci/commands/${command}.ts`));
    t.deepEqual(
      loaded.own.filter((path) => /tape\/(?:assemble|spawn)|seccomp\/|cgroup\/limits|runtime\/runtime/.test(path)),
      [],
    );
  });
}

test('the agent loads no HTTP client, no TLS and no OpenTelemetry', (t) => {
  const loaded = loadedModules(['--input-type=module', '--eval', "await import('./src/agent/daemon.ts')"]);
  for (const name of ['zod', 'yaml', 'prom-client']) t.true(loaded.packages.has(name), name);
  t.true(loaded.builtins.has('http'));
  t.deepEqual(
    [...loaded.packages].filter((name) => /opentelemetry|tdigest|bintrees/.test(name)),
    [],
  );
  const unused = ['https', 'tls', 'internal/deps/undici/undici', 'cluster'];
  t.deepEqual(
    unused.filter((name) => loaded.builtins.has(name)),
    [],
  );
});
