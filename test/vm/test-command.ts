// What the machine runs: AVA with the system tests of the runtime and of cgroups.
// Without the peers' cases of config.json: a few of these differ where the host has /proc/kcore, and two hundred starts of Node take long.
const SHORT = ['cgroup', 'cgroup-devices', 'cgroup-update', 'oom-group', 'runtime'];
const WHOLE = SHORT.concat(
  'cgroup-delegation oci-limits runtime-exec runtime-refusals monitor seccomp escape escape-privileged oci-cli'.split(
    ' ',
  ),
);

// An interpreted processor is ten to twenty times slower than a real one.
const TIMEOUT = '600s';

export type TestChoice = { readonly short?: boolean; readonly tap?: boolean };

/** A shell script; `files` replace the chosen test files. */
export function testCommand({ short = false, tap = false }: TestChoice, files: readonly string[]): string {
  const chosen = files.length > 0 ? files : (short ? SHORT : WHOLE).map((name) => `test/system/${name}.test.ts`);
  const words = ['node', 'node_modules/.bin/ava', '--config', 'test/system/ava.config.js'];
  const command = [...words, ...(tap ? ['--tap'] : []), ...chosen].map(quote).join(' ');
  return `export BERTH_TEST_TIMEOUT=${TIMEOUT}\nexec ${command}\n`;
}

/** One word for sh. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
