// EnvVar and EnvFromSource.
import * as z from 'zod';

import { fieldPathProblem } from '../field-path.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, exactlyOneOf, manifestObject, text } from './manifest-object.ts';
import { RESOURCE_FIELDS, resourceDivisor } from '../resource-field.ts';
import { configKeyProblem, subdomainProblem, variableNameProblem } from './names.ts';
import { written } from './resources.ts';

const keyReference = manifestObject({
  name: text(subdomainProblem),
  key: text(configKeyProblem),
  optional: z.boolean().nullish(),
});

const reference = manifestObject({ name: text(subdomainProblem), optional: z.boolean().nullish() });

const resourceFieldRef = checked(
  manifestObject(
    { resource: z.enum(RESOURCE_FIELDS), divisor: written.nullish() },
    { notYet: NOT_YET.resourceFieldRef },
  ),
  function* ({ resource, divisor }) {
    if (divisor === undefined || divisor === null || resourceDivisor(resource, divisor) !== undefined) return;
    const known = resource.endsWith('.cpu') ? "'1' or '1m'" : "'1', '1k', '1Ki', '1M', '1Mi', '1G', '1Gi' …";
    yield { path: ['divisor'], message: `Expected ${known}` };
  },
);

const envSource = exactlyOneOf(
  manifestObject(
    {
      configMapKeyRef: keyReference.nullish(),
      secretKeyRef: keyReference.nullish(),
      fieldRef: manifestObject({
        fieldPath: text(fieldPathProblem),
        apiVersion: z.literal('v1').nullish(),
      }).nullish(),
      resourceFieldRef: resourceFieldRef.nullish(),
    },
    { notYet: NOT_YET.envSource },
  ),
  ['configMapKeyRef', 'secretKeyRef', 'fieldRef', 'resourceFieldRef'],
);

export const envEntry = checked(
  manifestObject({
    name: text(variableNameProblem),
    value: text().nullish(),
    valueFrom: envSource.nullish(),
  }),
  function* ({ value, valueFrom }) {
    if (typeof value !== 'string' || value === '' || valueFrom === undefined || valueFrom === null) return;
    yield { path: ['valueFrom'], message: "Give either 'value' or 'valueFrom', not both", part: 'key' };
  },
);

export const envFromEntry = exactlyOneOf(
  manifestObject({
    prefix: text((prefix) => (prefix === '' ? undefined : variableNameProblem(prefix))).nullish(),
    configMapRef: reference.nullish(),
    secretRef: reference.nullish(),
  }),
  ['configMapRef', 'secretRef'],
);

export type EnvManifest = z.output<typeof envEntry>;
export type EnvFromManifest = z.output<typeof envFromEntry>;
