// Netlink requests for golden files: what each does, its header, its bytes, sixteen in a row.
import { encodeRequest, type Request } from '../../../src/linux/netlink/message.ts';

const ROW = 16;

export function printRequests(requests: readonly Request[]): string {
  return requests.map((request, index) => printRequest(request, index + 1)).join('\n');
}

function printRequest(request: Request, sequence: number): string {
  const encoded = encodeRequest(request, sequence);
  return [
    `# ${request.what}: type ${request.type}, flags 0x${encoded.readUInt16LE(6).toString(16)}`,
    ...rows(encoded),
    '',
  ].join('\n');
}

/** Hexadecimal, and the letters that are in it. */
function rows(bytes: Buffer): string[] {
  return Array.from({ length: Math.ceil(bytes.length / ROW) }, (_, index) => {
    const row = bytes.subarray(index * ROW, (index + 1) * ROW);
    const hex = (row.toString('hex').match(/../g) ?? []).join(' ');
    return `${hex.padEnd(3 * ROW)} ${row.toString('latin1').replaceAll(/[^\x21-\x7e]/g, '.')}`;
  });
}
