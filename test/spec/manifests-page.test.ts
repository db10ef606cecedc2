// docs/manifests.md is a promise: it and the schemas must name the same fields.
import { readFileSync } from 'node:fs';

import test from 'ava';

import { SCHEMAS, type Kind } from '../../src/spec/schema/kinds.ts';
import { fieldPaths } from '../../src/spec/schema/schema-walk.ts';
import * as limits from '../../src/spec/yaml/limits.ts';

const PAGE = readFileSync(new URL('../../docs/manifests.md', import.meta.url), 'utf8');

/** The fields that the tables of a section document: what their first column says between backquotes. */
function documented(section: string): readonly string[] {
  const body = PAGE.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  return [...body.matchAll(/^\| `([^`]+)`/gm)].map(([, path = '']) => path);
}

const INIT = 'spec.initContainers[].';
const COMMON = documented('Every manifest');

/** The fields of a kind that its own section must document: not the common ones, nor the pod in a template. */
function ownFields(kind: Kind): readonly string[] {
  const paths = fieldPaths(SCHEMAS[kind]);
  if (kind === 'List') return paths;
  return paths.filter((path) => !/^(apiVersion|kind|metadata)\b/.test(path) && !isDocumentedElsewhere(path));
}

function isDocumentedElsewhere(path: string): boolean {
  if (/\.(readiness|startup)Probe\.|\.lifecycle\.preStop\./.test(path)) return true;
  if (path.startsWith('spec.volumeClaimTemplates[].spec.')) return true;
  return path.startsWith('spec.template.spec.') || (path.startsWith(INIT) && path !== `${INIT}restartPolicy`);
}

for (const kind of Object.keys(SCHEMAS) as Kind[]) {
  test(`the page documents every field of a ${kind} and no others`, (t) => {
    t.deepEqual([...documented(kind)].sort(), [...ownFields(kind)].sort());
    t.true(ownFields(kind).length > 2);
  });
}

test('the page documents the fields that every manifest has', (t) => {
  for (const kind of ['Pod', 'Deployment', 'ConfigMap', 'Secret'] as const) {
    const paths = fieldPaths(SCHEMAS[kind]).filter((path) => /^(apiVersion|kind|metadata)\b/.test(path));
    t.deepEqual([...COMMON].sort(), [...paths].sort(), kind);
  }
});

test('the template of a Deployment has the fields of a Pod', (t) => {
  const template = fieldPaths(SCHEMAS.Deployment).filter((path) => path.startsWith('spec.template.spec.'));
  const pod = fieldPaths(SCHEMAS.Pod).filter((path) => path.startsWith('spec.'));
  t.deepEqual(
    template.map((path) => path.replace('spec.template.', '')),
    pod,
  );
});

test('an init container has the fields of a container, and its own restart policy', (t) => {
  const pod = fieldPaths(SCHEMAS.Pod);
  const below = (prefix: string): string[] =>
    pod.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  t.deepEqual(below(INIT).sort(), [...below('spec.containers[].'), 'restartPolicy'].sort());
});

function grouped(value: number): string {
  return value.toLocaleString('en');
}

test('the page states the limits that are enforced', (t) => {
  const sentence = /^- Limits: ([^]*?)\.\n/m.exec(PAGE)?.[1]?.replaceAll(/\s+/g, ' ');
  const [document, file] = [limits.MAX_DOCUMENT_BYTES, limits.MAX_FILE_BYTES].map((bytes) => bytes / 1024 / 1024);
  t.is(
    sentence,
    `${document} MiB a document, ${file} MiB and ${grouped(limits.MAX_TOKENS)} YAML tokens a file, ${limits.MAX_DEPTH} levels of nesting, ` +
      `${limits.MAX_ALIASES} aliases a document that stand for at most ${grouped(limits.MAX_ALIASED_VALUES)} values, ${limits.MAX_ERRORS} messages a file`,
  );
});

test('all probes have the same fields, and both hooks', (t) => {
  const pod = fieldPaths(SCHEMAS.Pod);
  const below = (field: string): string[] => {
    const prefix = `spec.containers[].${field}.`;
    return pod.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  };
  t.true(below('livenessProbe').length > 20);
  t.deepEqual(below('readinessProbe'), below('livenessProbe'));
  t.deepEqual(below('startupProbe'), below('livenessProbe'));
  t.true(below('lifecycle.postStart').length > 10);
  t.deepEqual(below('lifecycle.preStop'), below('lifecycle.postStart'));
});
