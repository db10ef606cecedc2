// What nf_tables answers to a list of rules or elements.
import { parseAttributeList, parseAttributes, readNested, readText, type Attributes } from './attribute.ts';
import type { Message } from './message.ts';
import type { Element } from './nft-object.ts';
import {
  NFT_MSG,
  NFTA_ELEMENT_DATA,
  NFTA_ELEMENT_KEY,
  NFTA_ELEMENT_USERDATA,
  NFTA_ELEMENTS_LIST,
  NFTA_RULE_CHAIN,
  NFTA_RULE_TABLE,
  NFTA_RULE_USERDATA,
  USERDATA_COMMENT,
} from './nft-object.ts';

const NFGENMSG_SIZE = 4;
const NFTA_DATA_VALUE = 1;

export type RuleFacts = { readonly table: string; readonly chain: string; readonly comment: string | undefined };

/** A rule's place and comment; undefined for any other message. Throws RangeError on one that is cut short. */
export function parseRule(message: Message): RuleFacts | undefined {
  if (message.type !== NFT_MSG.newRule) return undefined;
  const attributes = bodyAttributes(message);
  return {
    table: readText(attributes, NFTA_RULE_TABLE) ?? '',
    chain: readText(attributes, NFTA_RULE_CHAIN) ?? '',
    comment: commentOf(attributes, NFTA_RULE_USERDATA),
  };
}

/** The elements in one message of a list; none for any other message. Throws RangeError on one that is cut short. */
export function parseElements(message: Message): Element[] {
  if (message.type !== NFT_MSG.newElement) return [];
  const list = bodyAttributes(message).get(NFTA_ELEMENTS_LIST) ?? Buffer.alloc(0);
  return parseAttributeList(list).map(([, bytes]) => {
    const attributes = parseAttributes(bytes);
    return {
      key: valueOf(attributes, NFTA_ELEMENT_KEY),
      value: valueOf(attributes, NFTA_ELEMENT_DATA),
      comment: commentOf(attributes, NFTA_ELEMENT_USERDATA) ?? '',
    };
  });
}

function bodyAttributes({ body }: Message): Attributes {
  if (body.length < NFGENMSG_SIZE) throw new RangeError(`nf_tables message of ${body.length} bytes is cut short`);
  return parseAttributes(body.subarray(NFGENMSG_SIZE));
}

function valueOf(attributes: Attributes, type: number): Buffer {
  return readNested(attributes, type).get(NFTA_DATA_VALUE) ?? Buffer.alloc(0);
}

/** User data is a row of type, length, value. Undefined when there is no comment, or it was written by something odd. */
function commentOf(attributes: Attributes, type: number): string | undefined {
  const userdata = attributes.get(type) ?? Buffer.alloc(0);
  for (let offset = 0; offset + 2 <= userdata.length;) {
    const length = userdata.readUInt8(offset + 1);
    const value = userdata.subarray(offset + 2, offset + 2 + length);
    if (userdata.readUInt8(offset) === USERDATA_COMMENT) return value.toString('utf8').replace(/\0.*$/s, '');
    offset += 2 + length;
  }
  return undefined;
}
