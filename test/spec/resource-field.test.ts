import test from 'ava';

import { resourceDivisor, resourceValue, type ResourceField } from '../../src/spec/resource-field.ts';
import { resolveEnvironment } from '../../src/spec/resolve-env.ts';

const resources = {
  cpuLimitMillis: 1500,
  cpuRequestMillis: 250,
  memoryLimitBytes: 64 * 1024 * 1024 + 1,
  memoryRequestBytes: undefined,
  pidsLimit: undefined,
};
const capacity = { cpuMillis: 4000, memoryBytes: 8_000_000_000 };

function value(resource: ResourceField, divisor: string): number {
  return resourceValue({ resource, divisor: resourceDivisor(resource, divisor) ?? 0 }, resources, capacity);
}

test('a value is rounded up to whole units of its divisor', (t) => {
  t.is(value('limits.cpu', '1'), 2);
  t.is(value('limits.cpu', '1m'), 1500);
  t.is(value('requests.cpu', '0'), 1);
  t.is(value('limits.memory', '1Mi'), 65);
  t.is(value('limits.memory', '1'), 64 * 1024 * 1024 + 1);
  t.is(value('requests.memory', '1k'), 0);
});

test('without a limit it is what the machine has', (t) => {
  t.is(resourceValue({ resource: 'limits.cpu', divisor: 1000 }, undefined, capacity), 4);
  t.is(resourceValue({ resource: 'limits.memory', divisor: 1 }, undefined, capacity), 8_000_000_000);
});

test('only the divisors of Kubernetes are taken', (t) => {
  for (const divisor of ['2', '1Mi', '', 'x', '-1', '10m']) t.is(resourceDivisor('limits.cpu', divisor), undefined);
  for (const divisor of ['1m', '2Mi', '1.5', '1K']) t.is(resourceDivisor('limits.memory', divisor), undefined);
  t.is(resourceDivisor('limits.memory', '1Gi'), 2 ** 30);
});

test('later variables and commands see the value', (t) => {
  const env = [
    { from: 'resource', name: 'CORES', resource: 'limits.cpu', divisor: 1000 },
    { from: 'value', name: 'FLAG', value: '-j$(CORES)' },
  ] as const;
  const facts = { name: '', namespace: '', uid: '', labels: {}, annotations: {}, nodeName: '', podIP: '', hostIP: '' };
  const found = resolveEnvironment({ env, resources }, { facts: { ...facts, capacity }, config: () => undefined });
  t.is(found.get('FLAG'), '-j2');
});
