// Tables, chains, rules, maps and their elements: nfnetlink and nf_tables (<linux/netfilter/nf_tables.h>, nft(8)).
import { attribute, nested, textAttribute, u32beAttribute } from './attribute.ts';
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';
import type { Batch } from './netlink-socket.ts';
import { data, type Expression } from './nft-expression.ts';

const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFNL_SUBSYS_NFTABLES = 10;
const NFPROTO_INET = 1;
export const NFPROTO_IPV4 = 2;
export const NFPROTO_IPV6 = 10;

/** Message types, with the subsystem in their upper byte. */
export const NFT_MSG = {
  newTable: 0xa00,
  deleteTable: 0xa02,
  newChain: 0xa03,
  newRule: 0xa06,
  getRule: 0xa07,
  deleteRule: 0xa08,
  newSet: 0xa09,
  newElement: 0xa0c,
  getElement: 0xa0d,
  deleteElement: 0xa0e,
} as const;

const NFTA_TABLE_NAME = 1;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_CHAIN_TYPE = 7;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;
export const NFTA_RULE_TABLE = 1;
export const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_EXPRESSIONS = 4;
export const NFTA_RULE_USERDATA = 7;
const NFTA_SET_TABLE = 1;
const NFTA_SET_NAME = 2;
const NFTA_SET_FLAGS = 3;
const NFTA_SET_KEY_TYPE = 4;
const NFTA_SET_KEY_LEN = 5;
const NFTA_SET_DATA_TYPE = 6;
const NFTA_SET_DATA_LEN = 7;
const NFTA_SET_ID = 10;
const NFTA_ELEMENTS_TABLE = 1;
const NFTA_ELEMENTS_SET = 2;
export const NFTA_ELEMENTS_LIST = 3;
const NFTA_LIST_ELEM = 1;
export const NFTA_ELEMENT_KEY = 1;
export const NFTA_ELEMENT_DATA = 2;
export const NFTA_ELEMENT_USERDATA = 6;

const NFT_SET_MAP = 0x8;
const NF_ACCEPT = 1;
/** Of NFTA_RULE_USERDATA and NFTA_SET_ELEM_USERDATA: the kernel's limit, and the type that nft(8) shows as `comment`. */
const USERDATA_MAX = 256;
export const USERDATA_COMMENT = 0;

const HOOKS = { prerouting: 0, forward: 2, output: 3, postrouting: 4 } as const;
// The names that nft(8) has for these numbers.
const PRIORITIES = { raw: -300, dstnat: -100, filter: 0, srcnat: 100 } as const;

export type Chain = {
  readonly name: string;
  readonly type: 'filter' | 'nat';
  readonly hook: keyof typeof HOOKS;
  readonly priority: keyof typeof PRIORITIES;
};

export type Rule = {
  readonly chain: string;
  readonly expressions: readonly Expression[];
  /** What nft(8) prints behind the rule, at most 253 bytes. */
  readonly comment: string;
};

/** Data types of nft(8): how a key or a value is printed, and its bytes. In a key of several each takes whole registers. */
export const DATA_TYPES = {
  ipv4_addr: { number: 7, length: 4 },
  ipv6_addr: { number: 8, length: 16 },
  inet_proto: { number: 12, length: 1 },
  inet_service: { number: 13, length: 2 },
} as const;
export type DataType = keyof typeof DATA_TYPES;

export type NftMap = {
  readonly name: string;
  /** Tells the maps of one transaction apart. */
  readonly id: number;
  readonly key: readonly DataType[];
  readonly value: readonly DataType[];
};

export type Element = {
  readonly key: Buffer;
  readonly value: Buffer;
  /** What nft(8) prints behind the element, at most 253 bytes. */
  readonly comment: string;
};

/** The requests that the kernel carries out all together or not at all. */
export function nftBatch(requests: readonly Request[]): Batch {
  return { begin: bracket(NFNL_MSG_BATCH_BEGIN, 'begin'), requests, end: bracket(NFNL_MSG_BATCH_END, 'end') };
}

function bracket(type: number, what: string): Request {
  return { type, flags: 0, body: Buffer.from([0, 0, 0, NFNL_SUBSYS_NFTABLES]), what };
}

/** A table of the inet family: IPv4 and IPv6. It may be there already. */
export function addTable(table: string): Request {
  return nftRequest(NFT_MSG.newTable, NLM_F_CREATE, [textAttribute(NFTA_TABLE_NAME, table)], `add table ${table}`);
}

/** A table and all that is in it. ENOENT when there is none. */
export function deleteTable(table: string): Request {
  return nftRequest(NFT_MSG.deleteTable, 0, [textAttribute(NFTA_TABLE_NAME, table)], `delete table ${table}`);
}

/** A chain on a hook with the policy accept. It may be there already. */
export function addChain(table: string, { name, type, hook, priority }: Chain): Request {
  const hookAttributes = [
    u32beAttribute(NFTA_HOOK_HOOKNUM, HOOKS[hook]),
    u32beAttribute(NFTA_HOOK_PRIORITY, PRIORITIES[priority] >>> 0),
  ];
  const attributes = [
    textAttribute(NFTA_CHAIN_TABLE, table),
    textAttribute(NFTA_CHAIN_NAME, name),
    nested(NFTA_CHAIN_HOOK, hookAttributes),
    u32beAttribute(NFTA_CHAIN_POLICY, NF_ACCEPT),
    textAttribute(NFTA_CHAIN_TYPE, type),
  ];
  return nftRequest(NFT_MSG.newChain, NLM_F_CREATE, attributes, `add chain ${name} to table ${table}`);
}

/** Take all rules out of a chain. */
export function flushChain(table: string, chain: string): Request {
  const attributes = [textAttribute(NFTA_RULE_TABLE, table), textAttribute(NFTA_RULE_CHAIN, chain)];
  return nftRequest(NFT_MSG.deleteRule, 0, attributes, `flush chain ${chain} of table ${table}`);
}

/** Append a rule to its chain. */
export function addRule(table: string, { chain, expressions, comment }: Rule): Request {
  const attributes = [
    textAttribute(NFTA_RULE_TABLE, table),
    textAttribute(NFTA_RULE_CHAIN, chain),
    nested(NFTA_RULE_EXPRESSIONS, expressions),
    attribute(NFTA_RULE_USERDATA, commentData(comment)),
  ];
  return nftRequest(
    NFT_MSG.newRule,
    NLM_F_CREATE | NLM_F_APPEND,
    attributes,
    `add rule '${comment}' to chain ${chain}`,
  );
}

/** A map from a key to a value. It may be there already with the same types. */
export function addMap(table: string, { name, id, key, value }: NftMap): Request {
  const attributes = [
    textAttribute(NFTA_SET_TABLE, table),
    textAttribute(NFTA_SET_NAME, name),
    u32beAttribute(NFTA_SET_FLAGS, NFT_SET_MAP),
    u32beAttribute(NFTA_SET_KEY_TYPE, concatenatedType(key)),
    u32beAttribute(NFTA_SET_KEY_LEN, concatenatedLength(key)),
    u32beAttribute(NFTA_SET_DATA_TYPE, concatenatedType(value)),
    u32beAttribute(NFTA_SET_DATA_LEN, concatenatedLength(value)),
    u32beAttribute(NFTA_SET_ID, id),
  ];
  return nftRequest(NFT_MSG.newSet, NLM_F_CREATE, attributes, `add map ${name} to table ${table}`);
}

/** An element that is not there yet: EEXIST when its key is. */
export function addElement(table: string, map: string, element: Element): Request {
  const { key, value, comment } = element;
  const attributes = [
    data(NFTA_ELEMENT_KEY, key),
    data(NFTA_ELEMENT_DATA, value),
    attribute(NFTA_ELEMENT_USERDATA, commentData(comment)),
  ];
  return elementRequest(NFT_MSG.newElement, { table, map, attributes, what: `add '${comment}' to map ${map}` });
}

/** ENOENT when the key is not there. */
export function deleteElement(table: string, map: string, { key, comment }: Pick<Element, 'key' | 'comment'>): Request {
  const attributes = [data(NFTA_ELEMENT_KEY, key)];
  return elementRequest(NFT_MSG.deleteElement, { table, map, attributes, what: `delete '${comment}' from map ${map}` });
}

/** The rules of a table, for parseRule. ENOENT (or no answer) when there is no such table. */
export function listRules(table: string): Request {
  return nftRequest(NFT_MSG.getRule, 0, [textAttribute(NFTA_RULE_TABLE, table)], `list rules of table ${table}`);
}

/** The elements of a map, for parseElements. ENOENT when there is no such table or map. */
export function listElements(table: string, map: string): Request {
  const attributes = [textAttribute(NFTA_ELEMENTS_TABLE, table), textAttribute(NFTA_ELEMENTS_SET, map)];
  return nftRequest(NFT_MSG.getElement, 0, attributes, `list elements of map ${map}`);
}

function elementRequest(
  type: number,
  { table, map, attributes, what }: { table: string; map: string; attributes: readonly Buffer[]; what: string },
): Request {
  const flags = type === NFT_MSG.newElement ? NLM_F_CREATE | NLM_F_EXCL : 0;
  const list = [
    textAttribute(NFTA_ELEMENTS_TABLE, table),
    textAttribute(NFTA_ELEMENTS_SET, map),
    nested(NFTA_ELEMENTS_LIST, [nested(NFTA_LIST_ELEM, attributes)]),
  ];
  return nftRequest(type, flags, list, what);
}

function nftRequest(type: number, flags: number, attributes: readonly Buffer[], what: string): Request {
  // struct nfgenmsg: family, version, resource id.
  return { type, flags, body: Buffer.concat([Buffer.from([NFPROTO_INET, 0, 0, 0]), ...attributes]), what };
}

/** User data is type, length, value; a comment ends in NUL. */
function commentData(comment: string): Buffer {
  const text = Buffer.from(`${comment}\0`, 'utf8');
  if (text.length + 2 > USERDATA_MAX || text.length > 0xff)
    throw new RangeError(`Comment '${comment}' is too long for nf_tables`);
  return Buffer.concat([Buffer.from([USERDATA_COMMENT, text.length]), text]);
}

/** nft(8) writes several types into one number, 6 bits each. */
function concatenatedType(types: readonly DataType[]): number {
  return types.reduce((number, type) => number * 64 + DATA_TYPES[type].number, 0);
}

function concatenatedLength(types: readonly DataType[]): number {
  return types.reduce((length, type) => length + Math.ceil(DATA_TYPES[type].length / 4) * 4, 0);
}
