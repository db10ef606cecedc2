// How a repository is read: `?key=value&…` behind its ref and path. Pure; files that are named here are read when needed.

export const VERIFY_MODES = ['off', 'ssh', 'openpgp'] as const;
export type VerifyMode = (typeof VERIFY_MODES)[number];

/** All paths are absolute. */
export type GitSourceSettings = {
  /** Which signature a revision must have. */
  readonly verify: VerifyMode;
  /** Who may sign: an allowed_signers file (ssh-keygen(1)), or OpenPGP public keys. */
  readonly signers?: string;
  /** A file with `USER:PASSWORD` or a token. */
  readonly credentials?: string;
  readonly sshKey?: string;
  readonly knownHosts?: string;
  readonly pollSeconds?: number;
  /** Of one fetch. */
  readonly maxFetchMiB?: number;
  /** A revision need not descend from the one in force. */
  readonly allowRollback: boolean;
  /** `POST /hooks/NAME` asks the repository at once. */
  readonly hook?: string;
  /** A file with the secret that the sender of the hook knows. */
  readonly hookSecret?: string;
};

const FILES = ['signers', 'credentials', 'sshKey', 'knownHosts', 'hookSecret'] as const;
const COUNTS = { pollSeconds: 86_400, maxFetchMiB: 1_048_576 } as const;
export const SOURCE_OPTIONS: readonly string[] = [...FILES, ...Object.keys(COUNTS), 'verify', 'allowRollback', 'hook'];

/** Parse what follows `?`. Throws an Error that names the option. */
export function parseSourceOptions(text: string): GitSourceSettings {
  const given = new Map<string, string>();
  for (const part of text.split('&').filter((one) => one !== '')) {
    const at = part.indexOf('=');
    const key = at === -1 ? part : part.slice(0, at);
    if (!SOURCE_OPTIONS.includes(key))
      throw new Error(`there is no option '${key}'; there are ${SOURCE_OPTIONS.join(', ')}`);
    if (given.has(key)) throw new Error(`the option ${key} stands twice`);
    given.set(key, at === -1 ? 'true' : decode(key, part.slice(at + 1)));
  }
  const verify = VERIFY_MODES.find((mode) => mode === (given.get('verify') ?? 'off'));
  if (verify === undefined) throw new Error(`verify is ${VERIFY_MODES.join(', ')}, not '${given.get('verify')}'`);
  const settings = {
    verify,
    allowRollback: toBoolean('allowRollback', given.get('allowRollback') ?? 'false'),
    ...files(given),
    ...counts(given),
    ...hookName(given),
  };
  checkTogether(settings);
  return settings;
}

function checkTogether({ verify, signers, hook, hookSecret }: GitSourceSettings): void {
  if (verify !== 'off' && signers === undefined) throw new Error(`verify=${verify} needs signers=FILE`);
  if (verify === 'off' && signers !== undefined) throw new Error('signers needs verify=ssh or verify=openpgp');
  if ((hook === undefined) !== (hookSecret === undefined)) throw new Error('hook=NAME and hookSecret=FILE go together');
}

function files(given: ReadonlyMap<string, string>): Partial<Record<(typeof FILES)[number], string>> {
  return Object.fromEntries(
    FILES.flatMap((key) => {
      const path = given.get(key);
      if (path === undefined) return [];
      // Some of them become an argument of ssh, which knows blanks, quotes, % and ~.
      if (/^\/[A-Za-z0-9/._@+,=:-]*$/.test(path)) return [[key, path]];
      throw new Error(`${key} is an absolute path of letters, digits and /._@+,=:-, not '${path}'`);
    }),
  );
}

function counts(given: ReadonlyMap<string, string>): Partial<Record<keyof typeof COUNTS, number>> {
  return Object.fromEntries(
    Object.entries(COUNTS).flatMap(([key, max]) => {
      const value = given.get(key);
      if (value === undefined) return [];
      const count = /^[1-9]\d{0,9}$/.test(value) ? Number(value) : Number.NaN;
      if (count <= max) return [[key, count]];
      throw new Error(`${key} is a number from 1 to ${max}, not '${value}'`);
    }),
  );
}

function hookName(given: ReadonlyMap<string, string>): { readonly hook?: string } {
  const hook = given.get('hook');
  if (hook === undefined) return {};
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(hook)) return { hook };
  throw new Error(`hook is a name of letters, digits, '.', '_' and '-', not '${hook}'`);
}

function toBoolean(key: string, value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Error(`${key} is true or false, not '${value}'`);
}

function decode(key: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new Error(`${key}: '${value}' is not percent-encoded as it should be`);
  }
}
