// YAML nodes to plain data with positions. What Kubernetes manifests never need and attackers like (merge keys, tags,
// recursive or exploding aliases, duplicate keys, `__proto__`) is refused here, each with its place.
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Alias,
  type Pair,
  type ParsedNode,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

import { quoted } from '../quoted-text.ts';
import { MAX_ALIASED_VALUES, MAX_ALIASES, MAX_DEPTH } from './limits.ts';
import { scalarValue } from './scalar-value.ts';
import type { Span } from './source-text.ts';

export type Problem = { readonly span: Span; readonly message: string };

/** The children of an object or list: where each stands, and its key if it has one. */
export type ChildSpans = Map<string, { readonly key?: Span; readonly value: Span }>;

export type PlainValue = {
  readonly value: unknown;
  readonly root: Span;
  readonly spans: ReadonlyMap<object, ChildSpans>;
  /** When there are any, `value` is not to be used. */
  readonly problems: readonly Problem[];
};

/** A value with its span, the number of values in it and how deep they nest. */
type Reading = { readonly value: unknown; readonly span: Span; readonly size: number; readonly height: number };

type State = {
  readonly spans: Map<object, ChildSpans>;
  readonly anchors: Map<string, Reading>;
  readonly problems: Problem[];
  aliases: number;
  aliasedValues: number;
};

/** Turn the root node of a parsed document into plain data. Objects have no prototype. Never throws. */
export function plainValue(node: ParsedNode): PlainValue {
  const state: State = { spans: new Map(), anchors: new Map(), problems: [], aliases: 0, aliasedValues: 0 };
  const { value, span } = read(node, { state, depth: 1, key: '' });
  return { value, root: span, spans: state.spans, problems: state.problems };
}

const TOO_DEEP = `Too deep: objects and lists nest at most ${MAX_DEPTH} levels`;

type Context = { readonly state: State; readonly depth: number; readonly key: string };

function read(node: ParsedNode, context: Context): Reading {
  const { state } = context;
  const span = spanOf(node);
  if (isAlias(node)) return readAlias(node, span, context);
  if (node.tag !== undefined && !(isScalar(node) && node.tag === 'tag:yaml.org,2002:str')) {
    problem(state, span, `Tags such as ${quoted(node.tag)} are not supported`);
  }
  const reading = readContent(node, span, context);
  if (node.anchor !== undefined) state.anchors.set(node.anchor, reading);
  return reading;
}

function readContent(node: Exclude<ParsedNode, Alias.Parsed>, span: Span, context: Context): Reading {
  const leaf = { value: null, span, size: 1, height: 0 };
  if (isScalar(node)) {
    const scalar = scalarValue(node, context.key);
    if ('problem' in scalar) problem(context.state, span, scalar.problem);
    return 'problem' in scalar ? leaf : { ...leaf, value: scalar.value };
  }
  if (context.depth > MAX_DEPTH) {
    problemOnce(context.state, span, TOO_DEEP);
    return leaf;
  }
  return isSeq(node) ? readList(node, span, context) : readMap(node, span, context);
}

function readList(node: YAMLSeq, span: Span, { state, depth, key }: Context): Reading {
  const value: unknown[] = [];
  const children: ChildSpans = new Map();
  let [size, height] = [1, 0];
  for (const item of node.items) {
    const reading = read(item as ParsedNode, { state, depth: depth + 1, key });
    children.set(String(value.length), { value: reading.span });
    value.push(reading.value);
    size += reading.size;
    height = Math.max(height, reading.height);
  }
  state.spans.set(value, children);
  return { value, span, size, height: height + 1 };
}

function readMap(node: YAMLMap, span: Span, { state, depth }: Context): Reading {
  const value = Object.create(null) as Record<string, unknown>;
  const children: ChildSpans = new Map();
  let [size, height] = [1, 0];
  for (const pair of node.items as Pair<ParsedNode, ParsedNode | null>[]) {
    const key = readKey(pair.key, { state, children });
    if (key === undefined) continue;
    const keySpan = spanOf(pair.key);
    const reading = isNode(pair.value)
      ? read(pair.value, { state, depth: depth + 1, key })
      : { value: null, span: keySpan, size: 1, height: 0 };
    children.set(key, { key: keySpan, value: reading.span });
    value[key] = reading.value;
    size += reading.size;
    height = Math.max(height, reading.height);
  }
  state.spans.set(value, children);
  return { value, span, size, height: height + 1 };
}

/** The pair's key, or undefined (with a problem noted) when it is not one that a manifest may have. */
function readKey(key: ParsedNode, { state, children }: { state: State; children: ChildSpans }): string | undefined {
  const span = spanOf(key);
  if (!isScalar(key) || typeof key.value !== 'string') {
    problem(state, span, 'Keys must be strings; put quotes around the key');
    return undefined;
  }
  const name = key.value;
  if (key.tag !== undefined) problem(state, span, `Tags such as ${quoted(key.tag)} are not supported`);
  if (name === '<<' && key.type === 'PLAIN') problem(state, span, "Merge keys ('<<') are not supported");
  if (name === '__proto__') problem(state, span, "The key '__proto__' is not allowed");
  if (!name.isWellFormed()) problem(state, span, 'The key is not valid Unicode: a surrogate has no partner');
  if (children.has(name)) problem(state, span, `The key ${quoted(name)} is given twice in one mapping`);
  return name === '__proto__' || children.has(name) ? undefined : name;
}

/** The anchor's value itself, not a copy: memory stays as small as the text, and only the count grows. */
function readAlias(node: Alias.Parsed, span: Span, { state, depth }: Context): Reading {
  const nothing = { value: null, span, size: 1, height: 0 };
  const target = state.anchors.get(node.source);
  if (target === undefined) {
    problem(state, span, `The alias ${quoted(`*${node.source}`)} has no complete anchor before it`);
    return nothing;
  }
  state.aliases++;
  state.aliasedValues += target.size;
  const excess = aliasExcess(state, depth + target.height - 1);
  if (excess === undefined) return { ...target, span };
  problemOnce(state, span, excess);
  return nothing;
}

function aliasExcess({ aliases, aliasedValues }: State, depth: number): string | undefined {
  if (aliases > MAX_ALIASES) return `Too many aliases: at most ${MAX_ALIASES} in one document`;
  if (aliasedValues > MAX_ALIASED_VALUES) {
    return `The aliases stand for too much: at most ${MAX_ALIASED_VALUES} values in one document`;
  }
  return depth > MAX_DEPTH ? TOO_DEEP : undefined;
}

function isNode(value: ParsedNode | null): value is ParsedNode {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}

function spanOf(node: ParsedNode): Span {
  const [start, end] = node.range;
  return { start, end };
}

function problem(state: State, span: Span, message: string): void {
  state.problems.push({ span, message });
}

/** A limit is passed once; all that comes after it would say the same. */
function problemOnce(state: State, span: Span, message: string): void {
  if (!state.problems.some((known) => known.message === message)) problem(state, span, message);
}
