// Server addresses of D-Bus (D-Bus Specification, "Server Addresses"). Pure.

/**
 * Where to connect to, in this order, as net.connect takes a path: an abstract socket begins with a zero. Only unix sockets.
 * Throws RangeError when there is none in `address`.
 */
export function socketPaths(address: string): readonly string[] {
  const paths = address.split(';').flatMap((one) => {
    const [transport, list] = split(one, ':');
    if (transport !== 'unix') return [];
    const pairs = new Map(list.split(',').map((pair) => split(pair, '=')));
    const [path, abstract] = [pairs.get('path'), pairs.get('abstract')];
    if (path !== undefined) return [unescape(path)];
    return abstract === undefined ? [] : [`\0${unescape(abstract)}`];
  });
  if (paths.length === 0) throw new RangeError(`No unix socket in the D-Bus address '${address}'`);
  return paths;
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function unescape(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new RangeError(`'${value}' is not escaped as in a D-Bus address`);
  }
}
