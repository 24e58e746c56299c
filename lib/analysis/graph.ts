import path from 'node:path';
import type { Granularity } from '../base/choices.js';
import { withoutPlace } from '../profile/function-label.js';
import type { Mapping, ProfileData, ProfileFrame } from '../profile/model.js';

// The call graph of `go tool pprof`, from which its reports are printed.

export interface GraphEdge {
  from: GraphNode;
  to: GraphNode;
  weight: number;
  /** Whether all the calls are inlined. */
  inline: boolean;
}

/** All frames of one name. */
export interface GraphNode {
  name: string;
  /** The sum of the stacks that have the node as leaf, and of those that have it anywhere (each stack counts once). */
  flat: number;
  cum: number;
  in: Map<GraphNode, GraphEdge>;
  out: Map<GraphNode, GraphEdge>;
}

export interface TrimOptions {
  sortByCum: boolean;
  /** How many nodes to keep; 0 keeps all. */
  nodeCount: number;
  /** Nodes and edges below this share of the total are dropped. */
  nodeFraction: number;
  edgeFraction: number;
}

export interface TrimmedGraph {
  nodes: GraphNode[];
  /** The number of nodes that are large enough, whether or not `nodeCount` keeps them. */
  candidates: number;
  dropped: number;
}

interface NamedStack {
  /** Root first. */
  names: readonly string[];
  /** Whether a frame was inlined into the one before it. */
  inlined: readonly boolean[];
  value: number;
}

/** The name of a frame's node. Frames of the same name share a node. */
export function nodeName(frame: ProfileFrame, granularity: Granularity, mapping?: Mapping): string {
  const { functionName, fileName, lineNumber, address } = frame;
  if (granularity === 'places' && functionName !== '') return placedName(frame);
  const parts: string[] = [];
  if (granularity === 'addresses' && address !== 0) parts.push(address.toString(16).padStart(16, '0'));
  if (functionName === '' && fileName === '') {
    const binary = mapping === undefined ? '' : path.basename(mapping.fileName);
    return [...parts, binary === '' ? '<unknown>' : `[${binary}]`].join(' ');
  }
  const file = fileName === '' ? '' : cleanPath(fileName);
  const withLine = (granularity === 'lines' || granularity === 'addresses') && lineNumber !== 0;
  if (granularity !== 'files' && functionName !== '') parts.push(functionName);
  if (withLine) parts.push(`${file}:${lineNumber}`);
  else if (file !== '' && (granularity !== 'functions' || parts.length === 0)) parts.push(file);
  return parts.length === 0 ? '<unknown>' : parts.join(' ');
}

/** A function and where it is: the line where it starts, or, where the profile does not tell, that of the call. */
function placedName({ functionName, fileName, lineNumber, startLine }: ProfileFrame): string {
  if (fileName === '') return functionName;
  const line = startLine || lineNumber;
  const name = withoutPlace(functionName);
  return `${name} ${cleanPath(fileName)}${line === 0 || name === '(module)' ? '' : `:${line}`}`;
}

/** Go's `filepath.Clean`. */
function cleanPath(file: string): string {
  const normal = path.posix.normalize(file);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** What is mapped where the frame is: what the profile says, or else what its address tells. */
export function findMapping(
  profile: ProfileData,
  { mapping, address }: Readonly<ProfileFrame>,
): Readonly<Mapping> | undefined {
  return mapping ?? profile.mappings.find(({ start, limit }) => address >= start && address < limit);
}

/** Whether frame `at` (leaf first) was inlined into its caller: then both have the same address. */
export function isInlined(stack: readonly Readonly<ProfileFrame>[], at: number): boolean {
  const frame = stack[at]!;
  if (frame.inlined) return true;
  const caller = stack[at + 1];
  if (caller === undefined || frame.address === 0 || caller.address !== frame.address) return false;
  // The outermost function of an address may call itself: then its next innermost one is the one before it.
  for (let inner = at; inner >= 0 && stack[inner]!.address === frame.address; inner--) {
    if (stack[inner] === caller) return false;
  }
  return true;
}

function nameStacks(profile: ProfileData, index: number, granularity: Granularity): NamedStack[] {
  const names = new Map<Readonly<ProfileFrame>, string>();
  const nameOf = (frame: Readonly<ProfileFrame>) => {
    let name = names.get(frame);
    if (name === undefined) {
      name = nodeName(frame, granularity, findMapping(profile, frame));
      names.set(frame, name);
    }
    return name;
  };
  const stacks: NamedStack[] = [];
  for (const { values, stack } of profile.samples) {
    const value = values[index]!;
    if (value === 0) continue;
    stacks.push({
      names: stack.map(nameOf).reverse(),
      inlined: stack.map((_, at) => isInlined(stack, at)).reverse(),
      value,
    });
  }
  return stacks;
}

/** Builds the graph, with `kept` of only the nodes of these names; edges then skip the nodes between. */
function build(stacks: readonly NamedStack[], kept?: ReadonlySet<string>): GraphNode[] {
  const nodes = new Map<string, GraphNode>();
  for (const { names, inlined, value } of stacks) {
    const seen = new Set<GraphNode>();
    const seenEdges = new Set<GraphEdge>();
    let parent: GraphNode | undefined;
    let skipped = false;
    names.forEach((name, at) => {
      if (kept !== undefined && !kept.has(name)) {
        skipped = true;
        return;
      }
      let node = nodes.get(name);
      if (node === undefined) {
        node = { name, flat: 0, cum: 0, in: new Map(), out: new Map() };
        nodes.set(name, node);
      }
      if (!seen.has(node)) {
        seen.add(node);
        node.cum += value;
      }
      if (parent !== undefined && parent !== node) {
        let edge = parent.out.get(node);
        if (edge === undefined) {
          edge = { from: parent, to: node, weight: 0, inline: true };
          parent.out.set(node, edge);
          node.in.set(parent, edge);
        }
        if (!seenEdges.has(edge)) {
          seenEdges.add(edge);
          edge.weight += value;
          if (!inlined[at]) edge.inline = false;
        }
      }
      parent = node;
      skipped = false;
    });
    if (parent !== undefined && !skipped) parent.flat += value;
  }
  return [...nodes.values()].filter(({ flat, cum }) => flat !== 0 || cum !== 0);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byFlat(a: GraphNode, b: GraphNode): number {
  return (
    Math.abs(b.flat) - Math.abs(a.flat) || compareText(a.name, b.name) || Math.abs(b.cum) - Math.abs(a.cum)
  );
}

function byCum(a: GraphNode, b: GraphNode): number {
  return (
    Math.abs(b.cum) - Math.abs(a.cum) || compareText(a.name, b.name) || Math.abs(b.flat) - Math.abs(a.flat)
  );
}

export function sortEdges(edges: Iterable<GraphEdge>): GraphEdge[] {
  return [...edges].sort(
    (a, b) =>
      Math.abs(b.weight) - Math.abs(a.weight) ||
      compareText(a.from.name, b.from.name) ||
      compareText(a.to.name, b.to.name),
  );
}

/** The graph of column `index` of a profile, without the nodes and edges that are too small. */
export function trimmedGraph(
  profile: ProfileData,
  index: number,
  granularity: Granularity,
  options: TrimOptions,
): TrimmedGraph {
  const stacks = nameStacks(profile, index, granularity);
  const order = options.sortByCum ? byCum : byFlat;
  let nodes = build(stacks);
  const total = nodes.reduce((sum, { flat }) => sum + flat, 0);
  const cutoff = (fraction: number) => Math.abs(Math.trunc(total * fraction));

  let dropped = 0;
  const nodeCutoff = cutoff(options.nodeFraction);
  if (nodeCutoff > 0) {
    const large = nodes.filter(({ cum }) => Math.abs(cum) >= nodeCutoff);
    dropped = nodes.length - large.length;
    if (dropped > 0) nodes = build(stacks, new Set(large.map(({ name }) => name)));
  }
  nodes.sort(order);

  const candidates = nodes.length;
  if (options.nodeCount > 0 && nodes.length > options.nodeCount) {
    nodes = build(stacks, new Set(nodes.slice(0, options.nodeCount).map(({ name }) => name)));
    nodes.sort(order);
  }
  dropEdges(nodes, cutoff(options.edgeFraction));
  return { nodes, candidates, dropped };
}

function dropEdges(nodes: readonly GraphNode[], cutoff: number): void {
  for (const node of nodes) {
    for (const [from, { weight }] of node.in) {
      if (Math.abs(weight) >= cutoff) continue;
      node.in.delete(from);
      from.out.delete(node);
    }
  }
}
