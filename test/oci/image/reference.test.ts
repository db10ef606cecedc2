import assert from 'node:assert/strict';

import test from 'ava';
import * as fc from 'fast-check';

import { OciError } from '../../../src/oci/error.ts';
import { formatReference, parseReference } from '../../../src/oci/image/reference.ts';

const HEX = 'a'.repeat(64);

const canonical: readonly (readonly [string, string])[] = [
  ['nginx', 'docker.io/library/nginx:latest'],
  ['nginx:1.27', 'docker.io/library/nginx:1.27'],
  ['owner/app', 'docker.io/owner/app:latest'],
  ['docker.io/nginx', 'docker.io/library/nginx:latest'],
  ['index.docker.io/library/nginx', 'docker.io/library/nginx:latest'],
  ['ghcr.io/owner/app:v1', 'ghcr.io/owner/app:v1'],
  ['localhost/app', 'localhost/app:latest'],
  ['localhost:5000/app:2', 'localhost:5000/app:2'],
  ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c:latest'],
  ['[::1]:5000/app', '[::1]:5000/app:latest'],
  ['GHCR.io/owner/app', 'ghcr.io/owner/app:latest'],
  [`nginx@sha256:${HEX}`, `docker.io/library/nginx@sha256:${HEX}`],
  [`nginx:1@sha256:${HEX}`, `docker.io/library/nginx:1@sha256:${HEX}`],
  ['a__b/c-d.e---f', 'docker.io/a__b/c-d.e---f:latest'],
  ['localhost:5000', 'docker.io/library/localhost:5000'],
];

for (const [text, expected] of canonical) {
  test(`"${text.slice(0, 40)}" means ${expected.slice(0, 60)}`, (t) => {
    t.is(formatReference(parseReference(text)), expected);
  });
}

const refused: readonly (readonly [string, RegExp])[] = [
  ['', /is not a repository name/],
  ['Nginx', /a repository name is lower case/],
  ['ghcr.io/Owner/app', /a repository name is lower case/],
  ['nginx:', /"" is not a tag/],
  ['nginx:a b', /is not a tag/],
  [`nginx:${'t'.repeat(129)}`, /is not a tag/],
  ['nginx@sha256:abc', /is not a digest/],
  [`nginx@sha256:${'A'.repeat(64)}`, /is not a digest/],
  ['nginx@', /is not a digest/],
  ['ghcr.io/', /is not a repository name/],
  ['ghcr.io/../../etc', /is not a repository name/],
  ['a//b', /is not a repository name/],
  ['/etc/passwd', /is not a repository name/],
  ['host:99999/app', /is not a registry host/],
  ['ho_st.io/app', /is not a registry host/],
  ['user@host.io/app', /is not a digest/],
  ['a'.repeat(300), /longer than 255/],
  ['a'.repeat(700), /longer than 600/],
  ['nginx\n', /is not a repository name/],
  ['https://docker.io/nginx', /is not a repository name|is not a registry host/],
];

for (const [text, message] of refused) {
  test(`${JSON.stringify(text.slice(0, 40))} is refused because it ${message.source.slice(0, 40)}`, (t) => {
    const error = t.throws(() => parseReference(text), { instanceOf: OciError });
    t.is(error?.code, 'REFERENCE_INVALID');
    t.regex(error?.message ?? '', message);
  });
}

const component = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,4})?$/);
const reference = fc.record({
  registry: fc.constantFrom(
    'docker.io',
    'ghcr.io',
    'localhost',
    'localhost:5000',
    '10.0.0.1:80',
    '[::1]:5000',
    'a-b.example.com',
  ),
  repository: fc.array(component, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/')),
  tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined }),
  digest: fc.option(
    fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`),
    { nil: undefined },
  ),
});

test('a formatted reference parses back to itself', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(reference, (value) => {
        const tag = value.tag ?? (value.digest === undefined ? 'latest' : undefined);
        assert.deepEqual(parseReference(formatReference(value)), {
          registry: value.registry,
          repository: value.repository,
          tag,
          digest: value.digest,
        });
      }),
    ),
  );
});

test('any text either parses to something canonical or is refused with REFERENCE_INVALID', (t) => {
  const text = fc.oneof(fc.string({ maxLength: 80 }), fc.stringMatching(/^[a-zA-Z0-9:@/._[\]-]{0,60}$/));
  t.notThrows(() =>
    fc.assert(
      fc.property(text, (value) => {
        try {
          const formatted = formatReference(parseReference(value));
          assert.equal(formatReference(parseReference(formatted)), formatted);
          assert.match(formatted, /^[\x21-\x7e]+$/);
          assert.ok(!formatted.includes('/../') && !formatted.includes('//'));
        } catch (error) {
          assert.ok(error instanceof OciError && error.code === 'REFERENCE_INVALID', String(error));
        }
      }),
    ),
  );
});
