// /etc/hosts of a pod: hosts(5).

export type HostAlias = { readonly ip: string; readonly hostnames: readonly string[] };

export type HostsOptions = {
  readonly hostname: string;
  /** The pod's own addresses; none on the machine's network. */
  readonly addresses: readonly string[];
  readonly aliases?: readonly HostAlias[];
};

/** The text of the file: loopback, the pod itself, aliases. Throws RangeError on a name or address with white space. */
export function hostsFile({ hostname, addresses, aliases = [] }: HostsOptions): string {
  const own = addresses.length === 0 ? ['127.0.1.1'] : addresses;
  return [
    '# Written by berth for this pod.',
    line('127.0.0.1', ['localhost']),
    line('::1', ['localhost', 'ip6-localhost', 'ip6-loopback']),
    line('fe00::0', ['ip6-localnet']),
    line('ff00::0', ['ip6-mcastprefix']),
    line('ff02::1', ['ip6-allnodes']),
    line('ff02::2', ['ip6-allrouters']),
    ...own.map((address) => line(address, [hostname])),
    ...aliases.map(({ ip, hostnames }) => line(ip, hostnames)),
    '',
  ].join('\n');
}

function line(address: string, names: readonly string[]): string {
  for (const word of [address, ...names]) {
    // A line break would add a line of somebody else's making.
    if (!/^[^\s#]+$/.test(word)) throw new RangeError(`'${word}' cannot stand in a hosts file`);
  }
  return `${address}\t${names.join('\t')}`;
}
