// What the agent was told: flags over environment over the file of --config over defaults, checked once, then never changed.
import { readFileSync } from 'node:fs';
import { parse, YAMLParseError } from 'yaml';
import * as z from 'zod';

import type { RegistryOptions } from '../oci/image/registry/client.ts';
import { registryOptions } from '../oci/image/registry/environment.ts';
import { UNPACK_MODES, type UnpackMode } from '../oci/image/unpack-mode.ts';
import { resolvePlaces, type PlaceFlags, type Places } from './places.ts';
import { parseListen, type ListenAddress } from './listen-address.ts';

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
const FORMATS = ['auto', 'json', 'pretty'] as const;
const MAX_POLL_SECONDS = 86_400;

const SOURCE_FORM = 'a source is a string, or a repository in `source` with its options beside it';

/** A source with its options beside it; which there are, and what they may be, is for parseSource to say. */
const sourceSchema = z
  .object({ source: z.string().min(1) })
  .catchall(z.union([z.string(), z.number(), z.boolean()]))
  .refine(({ source, ...options }) => Object.keys(options).length === 0 || source.includes(':'))
  .transform(({ source, ...options }) => sourceText(source, options));

/** The file of --config. Places are not in it: every command needs them, and commands do not read it. */
const fileSchema = z.strictObject({
  sources: z.array(z.union([z.string().min(1), sourceSchema], { error: SOURCE_FORM })).optional(),
  listen: z.string().optional(),
  logLevel: z.enum(LEVELS).optional(),
  logFormat: z.enum(FORMATS).optional(),
  pollSeconds: z.number().int().min(1).max(MAX_POLL_SECONDS).optional(),
  allowEmpty: z.boolean().optional(),
  unpack: z.enum(UNPACK_MODES).optional(),
});

type Settings = z.infer<typeof fileSchema>;

export type LogLevel = (typeof LEVELS)[number];
export type LogFormat = (typeof FORMATS)[number];

export type AgentConfig = {
  readonly places: Places;
  /** Directories and Git URLs, as written. */
  readonly sources: readonly string[];
  /** Undefined: no HTTP. */
  readonly listen: ListenAddress | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** How often a Git source is asked. */
  readonly pollSeconds: number;
  /** A source that says nothing at all removes all of its workloads. */
  readonly allowEmpty: boolean;
  /** How layers are kept. */
  readonly unpack: UnpackMode;
  /** End when everything is as declared. */
  readonly once: boolean;
  /** Credentials and proxies, as the environment has them. */
  readonly registry: RegistryOptions;
};

export type AgentFlags = {
  readonly places: PlaceFlags;
  readonly config: string | undefined;
  readonly sources: readonly string[];
  readonly listen: string | undefined;
  readonly logLevel: string | undefined;
  readonly logFormat: string | undefined;
  readonly pollSeconds: string | undefined;
  readonly allowEmpty: boolean;
  readonly unpack: string | undefined;
  readonly once: boolean;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** A setting that cannot be; the message names where it was found. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_ERROR';

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'ConfigError';
  }
}

const DEFAULTS = {
  listen: '127.0.0.1:9473',
  logLevel: 'info',
  logFormat: 'auto',
  pollSeconds: 30,
  unpack: 'auto',
} as const;

/** Put the layers together. Throws ConfigError. */
export function resolveConfig(flags: AgentFlags, environment: Environment): AgentConfig {
  const file = flags.config ?? present(environment['BERTH_CONFIG']);
  const layers = [fromFlags(flags), fromEnvironment(environment), file === undefined ? {} : readSettings(file)];
  const pick = <K extends keyof Settings>(key: K): Settings[K] =>
    layers.map((layer) => layer[key]).find((value) => value !== undefined);
  return Object.freeze({
    places: places(flags, environment),
    sources: pick('sources') ?? [],
    listen: listenAddress(pick('listen') ?? DEFAULTS.listen),
    logLevel: pick('logLevel') ?? DEFAULTS.logLevel,
    logFormat: pick('logFormat') ?? DEFAULTS.logFormat,
    pollSeconds: pick('pollSeconds') ?? DEFAULTS.pollSeconds,
    allowEmpty: pick('allowEmpty') ?? false,
    unpack: pick('unpack') ?? DEFAULTS.unpack,
    once: flags.once,
    registry: registryOptions(environment),
  });
}

function places(flags: AgentFlags, environment: Environment): Places {
  try {
    return resolvePlaces(flags.places, environment);
  } catch (error) {
    throw new ConfigError(messageOf(error), { cause: error });
  }
}

function listenAddress(text: string): ListenAddress | undefined {
  try {
    return parseListen(text);
  } catch (error) {
    throw new ConfigError(messageOf(error), { cause: error });
  }
}

function fromFlags({ sources, listen, logLevel, logFormat, pollSeconds, allowEmpty, unpack }: AgentFlags): Settings {
  const given = {
    ...(sources.length === 0 ? {} : { sources }),
    ...(listen === undefined ? {} : { listen }),
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(logFormat === undefined ? {} : { logFormat }),
    ...(pollSeconds === undefined ? {} : { pollSeconds: Number(pollSeconds) }),
    ...(allowEmpty ? { allowEmpty } : {}),
    ...(unpack === undefined ? {} : { unpack }),
  };
  return checked(given, (key) => FLAGS[key] ?? key);
}

const FLAGS: Readonly<Record<string, string>> = {
  sources: '--source',
  listen: '--listen',
  logLevel: '--log-level',
  logFormat: '--log-format',
  pollSeconds: '--poll-seconds',
  allowEmpty: '--allow-empty',
  unpack: '--unpack',
};

const VARIABLES = {
  sources: 'BERTH_SOURCE',
  listen: 'BERTH_LISTEN',
  logLevel: 'BERTH_LOG_LEVEL',
  logFormat: 'BERTH_LOG_FORMAT',
  pollSeconds: 'BERTH_POLL_SECONDS',
  unpack: 'BERTH_UNPACK',
} as const;

function fromEnvironment(environment: Environment): Settings {
  const given = Object.entries(VARIABLES).flatMap(([key, variable]) => {
    const value = present(environment[variable]);
    return value === undefined ? [] : [[key, typed(key, value)] as const];
  });
  return checked(Object.fromEntries(given), (key) => VARIABLES[key as keyof typeof VARIABLES] ?? key);
}

/** Several sources are separated by blanks, as a shell would. */
function typed(key: string, value: string): unknown {
  if (key === 'sources') return value.split(/\s+/).filter((one) => one !== '');
  return key === 'pollSeconds' ? Number(value) : value;
}

function readSettings(path: string): Settings {
  let value: unknown;
  try {
    value = parse(readFileSync(path, 'utf8'), { version: '1.2', merge: false, maxAliasCount: 0 });
  } catch (error) {
    const at = error instanceof YAMLParseError ? `:${error.linePos?.[0].line ?? 1}` : '';
    throw new ConfigError(`Cannot read ${path}${at}: ${messageOf(error)}`, { cause: error });
  }
  return checked(value ?? {}, (key) => `${path}: ${key}`);
}

function checked(value: unknown, nameOf: (key: string) => string): Settings {
  const result = fileSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw new ConfigError('The configuration is not valid');
  if (issue.code === 'unrecognized_keys') {
    throw new ConfigError(`${nameOf(issue.keys[0] ?? '')}: there is no such setting`);
  }
  const [key = '', ...rest] = issue.path;
  const place = `${nameOf(String(key))}${rest.map((part) => `[${String(part)}]`).join('')}`;
  throw new ConfigError(`${place}: ${issue.message}`);
}

/** As it would follow `--source`. */
function sourceText(source: string, options: Readonly<Record<string, string | number | boolean>>): string {
  const query = Object.entries(options).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  if (query.length === 0) return source;
  return `${source}${source.includes('#') ? (source.includes('?') ? '&' : '?') : '#?'}${query.join('&')}`;
}

function present(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
