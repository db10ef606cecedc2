// Every example is valid: a user who copies one must not meet an error.
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { formatManifestErrors } from '../../src/spec/format-error.ts';
import { loadManifests } from '../../src/spec/load.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

const directories = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());

for (const { name } of directories) {
  test(`examples/${name} is a valid source with a workload in it`, (t) => {
    const paths = globSync('**/*.{yaml,yml}', { cwd: join(EXAMPLES, name) }).sort();
    const files = paths.map((path) => ({ path, text: readFileSync(join(EXAMPLES, name, path), 'utf8') }));
    const loaded = loadManifests(files);
    t.is('errors' in loaded ? formatManifestErrors(loaded.errors) : '', '');
    t.true('desired' in loaded && loaded.desired.workloads.length > 0);
  });
}
