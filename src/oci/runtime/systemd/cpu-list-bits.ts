// A list of processors or memory nodes as bits: how systemd takes AllowedCPUs. Pure.

const MOST = 8192;

/** `0-2,7` as bytes, processor 0 in the lowest bit of the first. Throws RangeError on what is no list (cpuset(7), "List format"). */
export function cpuListBits(list: string): number[] {
  const numbers = list
    .split(',')
    .filter((part) => part.trim() !== '')
    .flatMap((part) => range(part.trim(), list));
  const bytes = Array.from({ length: Math.floor(Math.max(0, ...numbers) / 8) + 1 }, () => 0);
  for (const number of numbers) bytes[number >> 3] = (bytes[number >> 3] ?? 0) | (1 << (number & 7));
  return bytes;
}

function range(part: string, list: string): number[] {
  const { first, last = first } = /^(?<first>\d+)(?:-(?<last>\d+))?$/.exec(part)?.groups ?? {};
  const [from, to] = [Number(first), Number(last)];
  if (!(from <= to && to < MOST)) throw new RangeError(`'${list}' is not a list of processors or memory nodes`);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
