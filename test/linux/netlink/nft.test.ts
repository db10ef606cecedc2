import test from 'ava';

import { attribute, nested, textAttribute } from '../../../src/linux/netlink/attribute.ts';
import type { Request } from '../../../src/linux/netlink/message.ts';
import { parseElements, parseRule } from '../../../src/linux/netlink/nft-dump.ts';
import {
  compare,
  conntrack,
  destinationType,
  dnat,
  FIELDS,
  linkNameValue,
  lookup,
  mask,
  masquerade,
  meta,
  payload,
  register,
  verdict,
} from '../../../src/linux/netlink/nft-expression.ts';
import {
  addChain,
  addElement,
  addMap,
  addRule,
  addTable,
  deleteElement,
  deleteTable,
  flushChain,
  listElements,
  listRules,
  nftBatch,
} from '../../../src/linux/netlink/nft-object.ts';
import { assertGolden } from '../../assert-golden.ts';
import { printRequests } from './print-request.ts';

const T = 'berth0';
const element = {
  key: Buffer.from('060000001f900000', 'hex'),
  value: Buffer.from('0a58000200500000', 'hex'),
  comment: 'pod-a',
};

function asMessage({ type, body }: Request) {
  return { type, flags: 0, sequence: 1, body };
}

test('the messages for tables, chains, maps and their elements are these bytes', (t) => {
  const batch = nftBatch([
    addTable(T),
    addChain(T, { name: 'prerouting', type: 'nat', hook: 'prerouting', priority: 'dstnat' }),
    flushChain(T, 'prerouting'),
    addMap(T, { name: 'ports4', id: 1, key: ['inet_proto', 'inet_service'], value: ['ipv4_addr', 'inet_service'] }),
    addElement(T, 'ports4', element),
    deleteElement(T, 'ports4', element),
    deleteTable(T),
    listRules(T),
    listElements(T, 'ports4'),
  ]);
  assertGolden(t, 'network/nft-objects.txt', printRequests([batch.begin, ...batch.requests, batch.end]));
});

test('every expression is these bytes', (t) => {
  const expressions = [
    meta('iifname', register(0)),
    compare(register(0), 'eq', linkNameValue('berth0')),
    payload(FIELDS.destinationPort, register(1)),
    conntrack('state', register(0)),
    mask(register(0), Buffer.from([6, 0, 0, 0])),
    compare(register(0), 'neq', Buffer.alloc(4)),
    destinationType(register(0)),
    lookup('ports4', register(0), register(8)),
    dnat(2, register(8), register(9)),
    masquerade(),
    verdict('accept'),
    verdict('drop'),
    verdict('return'),
  ];
  const rules = expressions.map((expression, index) =>
    addRule(T, { chain: 'c', expressions: [expression], comment: String(index) }),
  );
  assertGolden(t, 'network/nft-expressions.txt', printRequests(rules));
});

test('a rule is read with its table, chain and comment', (t) => {
  const rule = addRule(T, { chain: 'forward', expressions: [masquerade()], comment: 'answers (12345678)' });
  t.deepEqual(parseRule(asMessage(rule)), { table: T, chain: 'forward', comment: 'answers (12345678)' });
});

test('elements are read as they were written', (t) => {
  t.deepEqual(parseElements(asMessage(addElement(T, 'ports4', element))), [element]);
});

function ruleWithUserdata(userdata: Buffer) {
  const attributes = [textAttribute(1, T), textAttribute(2, 'c'), attribute(7, userdata)];
  return { type: 0xa06, flags: 0, sequence: 1, body: Buffer.concat([Buffer.alloc(4), ...attributes]) };
}

test("another program's user data is no comment", (t) => {
  t.is(parseRule(ruleWithUserdata(Buffer.from([5, 1, 65])))?.comment, undefined);
  t.is(parseRule(ruleWithUserdata(Buffer.from([5, 1, 65, 0, 2, 66, 0])))?.comment, 'B');
  t.is(parseRule(ruleWithUserdata(Buffer.from([5, 200, 65])))?.comment, undefined);
  t.is(parseRule(ruleWithUserdata(Buffer.from([5])))?.comment, undefined);
});

test('messages of another type are no rule and no elements; messages cut short are an error', (t) => {
  const other = { type: 0xa00, flags: 0, sequence: 1, body: Buffer.alloc(0) };
  t.is(parseRule(other), undefined);
  t.deepEqual(parseElements(other), []);
  t.throws(() => parseRule({ ...other, type: 0xa06 }), { instanceOf: RangeError });
  t.throws(
    () =>
      parseElements({
        ...other,
        type: 0xa0c,
        body: Buffer.concat([Buffer.alloc(4), nested(3, [Buffer.from([9, 0, 1])])]),
      }),
    {
      instanceOf: RangeError,
    },
  );
});

function emptyRule(comment: string) {
  return addRule(T, { chain: 'c', expressions: [], comment });
}

test('comments longer than the kernel keeps, registers beyond the last and long device names are refused', (t) => {
  t.notThrows(() => emptyRule('x'.repeat(253)));
  t.throws(() => emptyRule('x'.repeat(254)), { instanceOf: RangeError });
  t.throws(() => register(16), { instanceOf: RangeError });
  t.throws(() => linkNameValue('x'.repeat(16)), { instanceOf: RangeError });
});
