// Expressions of nf_tables rules: the instructions of its machine (<linux/netfilter/nf_tables.h>, nft(8)).
// A load puts packet data into a register, cmp and bitwise look at it, lookup, nat and masq act on it.
import { attribute, nested, textAttribute, u32beAttribute, u8Attribute } from './attribute.ts';

const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;

/** Where a verdict goes. */
const NFT_REG_VERDICT = 0;
/** The first of 16 registers of 4 bytes; longer data lies over several in a row. */
const NFT_REG32_00 = 8;
const REGISTERS = 16;

/** An expression as it lies in a rule. */
export type Expression = Buffer;

/** The 32-bit register with this number, from 0 to 15. */
export function register(number: number): number {
  if (!Number.isInteger(number) || number < 0 || number >= REGISTERS)
    throw new RangeError(`No nf_tables register ${number}`);
  return NFT_REG32_00 + number;
}

function expression(name: string, attributes: readonly Buffer[]): Expression {
  return nested(NFTA_LIST_ELEM, [textAttribute(NFTA_EXPR_NAME, name), nested(NFTA_EXPR_DATA, attributes)]);
}

const META_KEYS = { iifname: 6, oifname: 7, nfproto: 15, l4proto: 16 } as const;

/** Load a fact about the packet: its family, transport protocol, or device name (16 bytes, padded with NULs). */
export function meta(key: keyof typeof META_KEYS, into: number): Expression {
  const [NFTA_META_DREG, NFTA_META_KEY] = [1, 2];
  return expression('meta', [u32beAttribute(NFTA_META_KEY, META_KEYS[key]), u32beAttribute(NFTA_META_DREG, into)]);
}

const CT_KEYS = { state: 0, status: 2 } as const;

/** Load what connection tracking knows of the packet: 4 bytes in host order. */
export function conntrack(key: keyof typeof CT_KEYS, into: number): Expression {
  const [NFTA_CT_DREG, NFTA_CT_KEY] = [1, 2];
  return expression('ct', [u32beAttribute(NFTA_CT_KEY, CT_KEYS[key]), u32beAttribute(NFTA_CT_DREG, into)]);
}

const PAYLOAD_BASES = { network: 1, transport: 2 } as const;

/** Bytes of a header. */
export type Field = {
  readonly base: keyof typeof PAYLOAD_BASES;
  readonly offset: number;
  readonly length: number;
};

/** Source and destination address of IPv4 and IPv6, and the destination port of TCP, UDP and SCTP. */
export const FIELDS = {
  ip4Source: { base: 'network', offset: 12, length: 4 },
  ip4Destination: { base: 'network', offset: 16, length: 4 },
  ip6Source: { base: 'network', offset: 8, length: 16 },
  ip6Destination: { base: 'network', offset: 24, length: 16 },
  destinationPort: { base: 'transport', offset: 2, length: 2 },
} as const satisfies Readonly<Record<string, Field>>;

/** Load bytes of the packet. */
export function payload({ base, offset, length }: Field, into: number): Expression {
  const [NFTA_PAYLOAD_DREG, NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET, NFTA_PAYLOAD_LEN] = [1, 2, 3, 4];
  return expression('payload', [
    u32beAttribute(NFTA_PAYLOAD_DREG, into),
    u32beAttribute(NFTA_PAYLOAD_BASE, PAYLOAD_BASES[base]),
    u32beAttribute(NFTA_PAYLOAD_OFFSET, offset),
    u32beAttribute(NFTA_PAYLOAD_LEN, length),
  ]);
}

/** Load the type (RTN_*) of the packet's destination address: what the routing table takes it for. */
export function destinationType(into: number): Expression {
  const [NFTA_FIB_DREG, NFTA_FIB_RESULT, NFTA_FIB_FLAGS] = [1, 2, 3];
  const NFT_FIB_RESULT_ADDRTYPE = 3;
  const NFTA_FIB_F_DADDR = 2;
  return expression('fib', [
    u32beAttribute(NFTA_FIB_DREG, into),
    u32beAttribute(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE),
    u32beAttribute(NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR),
  ]);
}

const COMPARISONS = { eq: 0, neq: 1 } as const;

/** Go on with the rule only when the register compares so. */
export function compare(from: number, operator: keyof typeof COMPARISONS, value: Uint8Array): Expression {
  const [NFTA_CMP_SREG, NFTA_CMP_OP, NFTA_CMP_DATA] = [1, 2, 3];
  return expression('cmp', [
    u32beAttribute(NFTA_CMP_SREG, from),
    u32beAttribute(NFTA_CMP_OP, COMPARISONS[operator]),
    data(NFTA_CMP_DATA, value),
  ]);
}

/** register = register & bits. */
export function mask(inPlace: number, bits: Uint8Array): Expression {
  const [NFTA_BITWISE_SREG, NFTA_BITWISE_DREG, NFTA_BITWISE_LEN, NFTA_BITWISE_MASK, NFTA_BITWISE_XOR] = [1, 2, 3, 4, 5];
  return expression('bitwise', [
    u32beAttribute(NFTA_BITWISE_SREG, inPlace),
    u32beAttribute(NFTA_BITWISE_DREG, inPlace),
    u32beAttribute(NFTA_BITWISE_LEN, bits.length),
    data(NFTA_BITWISE_MASK, bits),
    data(NFTA_BITWISE_XOR, Buffer.alloc(bits.length)),
  ]);
}

/** Look the key that lies from register `from` on up in a map, and put its value at `into`. Absent: the rule ends. */
export function lookup(map: string, from: number, into: number): Expression {
  const [NFTA_LOOKUP_SET, NFTA_LOOKUP_SREG, NFTA_LOOKUP_DREG] = [1, 2, 3];
  return expression('lookup', [
    textAttribute(NFTA_LOOKUP_SET, map),
    u32beAttribute(NFTA_LOOKUP_SREG, from),
    u32beAttribute(NFTA_LOOKUP_DREG, into),
  ]);
}

/** Rewrite the destination to the address and the port that lie in registers. `family` is NFPROTO_*. */
export function dnat(family: number, address: number, port: number): Expression {
  const [NFTA_NAT_TYPE, NFTA_NAT_FAMILY, NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_PROTO_MIN] = [1, 2, 3, 5];
  const NFT_NAT_DNAT = 1;
  return expression('nat', [
    u32beAttribute(NFTA_NAT_TYPE, NFT_NAT_DNAT),
    u32beAttribute(NFTA_NAT_FAMILY, family),
    u32beAttribute(NFTA_NAT_REG_ADDR_MIN, address),
    u32beAttribute(NFTA_NAT_REG_PROTO_MIN, port),
  ]);
}

/** Rewrite the source to the address of the device that the packet leaves by. */
export function masquerade(): Expression {
  return expression('masq', []);
}

/** Put a value into registers. */
export function immediate(value: Uint8Array, into: number): Expression {
  const [NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA] = [1, 2];
  return expression('immediate', [u32beAttribute(NFTA_IMMEDIATE_DREG, into), data(NFTA_IMMEDIATE_DATA, value)]);
}

/** Load a random number below `modulus`: 4 bytes in host order. */
export function random(modulus: number, into: number): Expression {
  const [NFTA_NG_DREG, NFTA_NG_MODULUS, NFTA_NG_TYPE] = [1, 2, 3];
  const NFT_NG_RANDOM = 1;
  return expression('numgen', [
    u32beAttribute(NFTA_NG_DREG, into),
    u32beAttribute(NFTA_NG_MODULUS, modulus),
    u32beAttribute(NFTA_NG_TYPE, NFT_NG_RANDOM),
  ]);
}

/** Answer "port unreachable", in ICMP or ICMPv6: a client is refused at once. Ends the rule. */
export function rejectPort(): Expression {
  const [NFTA_REJECT_TYPE, NFTA_REJECT_ICMP_CODE] = [1, 2];
  const [NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_PORT_UNREACH] = [2, 1];
  return expression('reject', [
    u32beAttribute(NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH),
    u8Attribute(NFTA_REJECT_ICMP_CODE, NFT_REJECT_ICMPX_PORT_UNREACH),
  ]);
}

const VERDICTS = { drop: 0, accept: 1, return: -5 } as const;

/** End the rule with a verdict. */
export function verdict(code: keyof typeof VERDICTS): Expression {
  const [NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA] = [1, 2];
  return expression('immediate', [
    u32beAttribute(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT),
    nested(NFTA_IMMEDIATE_DATA, [nested(NFTA_DATA_VERDICT, [u32beAttribute(NFTA_VERDICT_CODE, VERDICTS[code] >>> 0)])]),
  ]);
}

/** A value inside an attribute of its own. */
export function data(type: number, value: Uint8Array): Buffer {
  return nested(type, [attribute(NFTA_DATA_VALUE, value)]);
}

/** A device name as meta loads it. Throws RangeError when it is too long. */
export function linkNameValue(name: string): Buffer {
  const IFNAMSIZ = 16;
  if (Buffer.byteLength(name) >= IFNAMSIZ) throw new RangeError(`'${name}' is not a name for a network device`);
  const value = Buffer.alloc(IFNAMSIZ);
  value.write(name);
  return value;
}
