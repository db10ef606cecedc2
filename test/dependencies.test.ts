// docs/dependencies.md says what package.json asks for, at the same versions, under the licences that the packages state.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import test from 'ava';

type Package = {
  readonly version?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
};

const ALLOWED_LICENCES = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD'];

function path(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url));
}

function readPackage(name: string): Package {
  return JSON.parse(readFileSync(path(name), 'utf8')) as Package;
}

const manifest = readPackage('package.json');
const declared = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies };
const rows = [
  ...readFileSync(path('docs/dependencies.md'), 'utf8').matchAll(
    /^\| `([^`]+)`\s*\| (\S+)\s*\| (\S+)\s*\| (.+?)\s*\|$/gm,
  ),
].map(([, name = '', version = '', licence = '', why = '']) => ({ name, version, licence, why }));

test('every dependency has a row with its version, and no row is stale', (t) => {
  t.deepEqual(Object.fromEntries(rows.map(({ name, version }) => [name, version])), declared);
});

test('every version is exact', (t) => {
  t.deepEqual(
    Object.entries(declared).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
    [],
  );
});

test('every package of the run time is imported', (t) => {
  const sources = globSync('src/**/*.ts', { cwd: path('.') }).map((name) => readFileSync(path(name), 'utf8'));
  const unused = Object.keys(manifest.dependencies ?? {}).filter(
    (name) => !sources.some((source) => source.includes(` from '${name}'`)),
  );
  t.deepEqual(unused, []);
});

test('the licences are what the installed packages state, and are free enough', (t) => {
  for (const { name, version, licence } of rows) {
    t.true(ALLOWED_LICENCES.includes(licence), `${name}: ${licence}`);
    if (!existsSync(path(`node_modules/${name}/package.json`))) continue; // the Node of the other architecture
    const installed = readPackage(`node_modules/${name}/package.json`);
    t.is(installed.license, licence, name);
    t.is(installed.version, version, name);
  }
});
