// EnvVar and EnvFromSource.
import * as z from 'zod';

import { fieldPathProblem } from '../field-path.ts';
import { NOT_YET } from './kubernetes-fields.ts';
import { checked, exactlyOneOf, manifestObject, text } from './manifest-object.ts';
import { configKeyProblem, subdomainProblem, variableNameProblem } from './names.ts';

const keyReference = manifestObject({
  name: text(subdomainProblem),
  key: text(configKeyProblem),
  optional: z.boolean().nullish(),
});

const reference = manifestObject({ name: text(subdomainProblem), optional: z.boolean().nullish() });

const envSource = exactlyOneOf(
  manifestObject(
    {
      configMapKeyRef: keyReference.nullish(),
      secretKeyRef: keyReference.nullish(),
      fieldRef: manifestObject({
        fieldPath: text(fieldPathProblem),
        apiVersion: z.literal('v1').nullish(),
      }).nullish(),
    },
    { notYet: NOT_YET.envSource },
  ),
  ['configMapKeyRef', 'secretKeyRef', 'fieldRef'],
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
