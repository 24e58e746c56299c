import path from 'node:path';
import type { Granularity } from '../base/choices.js';
import { withoutPlace } from '../profile/function-label.js';
import type { Location, MergedProfile } from '../profile/merged.js';
import type { Mapping, ProfileData, ProfileFrame } from '../profile/model.js';
import type { FilteredProfile } from './filters.js';

// The call graph of `go tool pprof`, from which its reports are printed.

export interface GraphEdge {
  from: GraphNode;
  to: GraphNode;
  weight: number;
  /** Whether all the calls are inlined. */
  inline: boolean;
  /** The sample that was added last: each counts once. */
  seenIn: number;
}

/** All frames of one name. */
export interface GraphNode {
  name: string;
  /** The sum of the stacks that have the node as leaf, and of those that have it anywhere (each stack counts once). */
  flat: number;
  cum: number;
  in: Map<GraphNode, GraphEdge>;
  out: Map<GraphNode, GraphEdge>;
  seenIn: number;
  kept: boolean;
  /** Whether its edges are asked for. */
  shown: boolean;
  /** `flat`, where doubles cannot hold the figures. */
  exactFlat?: bigint;
}

export interface TrimOptions {
  sortByCum: boolean;
  /** How many nodes to keep; 0 keeps all. */
  nodeCount: number;
  /** Nodes and edges below this share of the total are dropped. */
  nodeFraction: number;
  edgeFraction: number;
  /** Only the edges of nodes with such a name are built: a whole graph has millions. */
  edgesOf?: RegExp;
}

export interface TrimmedGraph {
  nodes: GraphNode[];
  /** The number of nodes that are large enough, whether or not `nodeCount` keeps them. */
  candidates: number;
  dropped: number;
}

/** The name of a frame's node. Frames of the same name share a node. */
export function nodeName(frame: ProfileFrame, granularity: Granularity, mapping?: Mapping): string {
  const { functionName, fileName, lineNumber, address, exactAddress } = frame;
  if (granularity === 'places' && functionName !== '') return placedName(frame);
  const parts: string[] = [];
  const place = exactAddress ?? address;
  if (granularity === 'addresses' && place !== 0) parts.push(place.toString(16).padStart(16, '0'));
  const name = granularity === 'files' ? '' : functionName;
  const file = granularity === 'functions' || fileName === '' ? '' : cleanPath(fileName);
  const withLine = granularity === 'lines' || granularity === 'addresses';
  if (name !== '') parts.push(name);
  if (withLine && lineNumber !== 0) parts.push(`${file}:${lineNumber}`);
  else if (file !== '') parts.push(file);
  else if (name === '') parts.push(binaryName(mapping));
  return parts.join(' ');
}

function binaryName(mapping: Mapping | undefined): string {
  return mapping === undefined || mapping.fileName === ''
    ? '<unknown>'
    : `[${path.posix.basename(mapping.fileName)}]`;
}

/** How reports tell sites apart unless they are told: by lines where the profile has lines of calls of its own program. */
export function sitesBy({ locations }: Pick<MergedProfile, 'locations'>): 'lines' | 'places' {
  const atCalls = locations.some(({ frames }) =>
    frames.some(({ startLine = 0, lineNumber }) => startLine > 0 && lineNumber > startLine),
  );
  return atCalls ? 'lines' : 'places';
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
  // As Go's reports do, unless they are told otherwise.
  const trimmed = file.replace(/^\/proc\/self\/cwd\/(?:\.\/)?/, '');
  if (trimmed === '') return '';
  const normal = path.posix.normalize(trimmed);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** What is mapped where the frame is: what the profile says, or else what its address tells. */
export function findMapping(
  profile: ProfileData,
  { mapping, address }: Readonly<ProfileFrame>,
): Readonly<Mapping> | undefined {
  return mapping ?? profile.mappings.find(({ start, limit }) => address >= start && address < limit);
}

/** The nodes of each location, leaf first; one for each call that was inlined there. */
function nodesOfLocations(
  profile: FilteredProfile,
  granularity: Granularity,
): { nodes: GraphNode[]; ofLocation: GraphNode[][] } {
  const nodes = new Map<string, GraphNode>();
  const nodeOf = (frame: Readonly<ProfileFrame>, location: Location) => {
    const placed = granularity === 'addresses' ? withAddress(frame, location.address) : frame;
    const name = nodeName(placed, granularity, location.mapping);
    const key = granularity === 'places' ? name : nodeKey(placed, granularity, location);
    let node = nodes.get(key);
    if (node === undefined) {
      node = { name, flat: 0, cum: 0, in: new Map(), out: new Map(), seenIn: -1, kept: true, shown: true };
      nodes.set(key, node);
    }
    return node;
  };
  const ofLocation = profile.locations.map((location) =>
    location.frames.map((frame) => nodeOf(frame, location)),
  );
  return { nodes: [...nodes.values()], ofLocation };
}

/** A frame at the address where its location is now. */
export function withAddress(frame: Readonly<ProfileFrame>, address: number | bigint): Readonly<ProfileFrame> {
  if ((frame.exactAddress ?? frame.address) === address) return frame;
  const { exactAddress: _, ...rest } = frame;
  return { ...rest, address: Number(address), ...(typeof address === 'bigint' && { exactAddress: address }) };
}

/**
 * What makes two frames one node: Go's `NodeInfo`. Functions without a name are told apart by what a report does not show,
 * and without the names, as by files, all are.
 */
function nodeKey(
  { functionName, fileName, lineNumber, startLine = lineNumber }: Readonly<ProfileFrame>,
  granularity: Exclude<Granularity, 'places'>,
  { mapping, hasLines, address }: Location,
): string {
  const name = granularity === 'files' ? '' : functionName;
  const file = granularity === 'functions' || fileName === '' ? '' : cleanPath(fileName);
  const byLine = granularity === 'lines' || granularity === 'addresses';
  const unnamed = name === '' ? `${hasLines ? startLine : 0} ${mapping?.fileName ?? ''}` : '';
  const place = `${byLine ? lineNumber : 0} ${granularity === 'addresses' ? address : 0}`;
  return `${name}\0${file}\0${place}\0${unnamed}`;
}

/**
 * Adds the samples up, in nodes that are kept. With `edges`, builds the edges as well, which go past the nodes that are
 * not kept. Integers too large for doubles are added as bigints.
 */
function addUp(
  profile: FilteredProfile,
  index: number,
  { nodes, ofLocation }: ReturnType<typeof nodesOfLocations>,
  edges: boolean,
): GraphNode[] {
  const { kept, hidden, stacks, starts, ends } = profile;
  const column = profile.columns[index]! as Float64Array;
  // The sums of bigints are bigints until the end; TypeScript need not know.
  const zero = (column instanceof BigInt64Array ? 0n : 0) as number;
  for (const node of nodes) {
    node.flat = zero;
    node.cum = zero;
    node.seenIn = -1;
  }
  for (const i of kept) {
    const value = column[i]!;
    if (value === zero) continue;
    let parent: GraphNode | undefined;
    let skipped = false;
    for (let at = ends[i]! - 1; at >= starts[i]!; at--) {
      const location = stacks[at]!;
      if (hidden[location] === 1) continue;
      const own = ofLocation[location]!;
      for (let inner = own.length - 1; inner >= 0; inner--) {
        const node = own[inner]!;
        if (!node.kept) {
          skipped = true;
          continue;
        }
        if (node.seenIn !== i) {
          node.seenIn = i;
          node.cum += value;
        }
        if (edges && parent !== undefined && parent !== node && (parent.shown || node.shown)) {
          addToEdge(parent, node, i, value, zero, inner < own.length - 1);
        }
        parent = node;
        skipped = false;
      }
    }
    if (parent !== undefined && !skipped) parent.flat += value;
  }
  const used = nodes.filter(({ kept, flat, cum }) => kept && (flat !== zero || cum !== zero));
  if (typeof zero === 'bigint') for (const node of used) toNumbers(node);
  return used;
}

function addToEdge(
  from: GraphNode,
  to: GraphNode,
  sample: number,
  value: number,
  zero: number,
  inline: boolean,
): void {
  let edge = from.out.get(to);
  if (edge === undefined) {
    edge = { from, to, weight: zero, inline: true, seenIn: -1 };
    from.out.set(to, edge);
    to.in.set(from, edge);
  }
  if (edge.seenIn === sample) return;
  edge.seenIn = sample;
  edge.weight += value;
  if (!inline) edge.inline = false;
}

/** As Go's sums of integers of 64 bits, which wrap around. */
function toNumbers(node: GraphNode): void {
  const toNumber = (sum: unknown) => Number(BigInt.asIntN(64, sum as bigint));
  node.exactFlat = BigInt.asIntN(64, node.flat as unknown as bigint);
  node.flat = Number(node.exactFlat);
  node.cum = toNumber(node.cum);
  for (const edge of node.out.values()) edge.weight = toNumber(edge.weight);
}

/** What the nodes come to. */
export function sumOfFlat(nodes: readonly GraphNode[]): number {
  if (nodes[0]?.exactFlat === undefined) return nodes.reduce((sum, { flat }) => sum + flat, 0);
  return Number(
    BigInt.asIntN(
      64,
      nodes.reduce((sum, { exactFlat = 0n }) => sum + exactFlat, 0n),
    ),
  );
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
  profile: FilteredProfile,
  index: number,
  granularity: Granularity,
  options: TrimOptions,
): TrimmedGraph {
  const graph = nodesOfLocations(profile, granularity);
  const keep = (nodes: readonly GraphNode[]) => {
    for (const node of graph.nodes) node.kept = false;
    for (const node of nodes) node.kept = true;
  };
  // Edges are many, and most of them belong to nodes that go. The figures of a node do not depend on what else is kept.
  let nodes = addUp(profile, index, graph, false);
  const total = sumOfFlat(nodes);
  const cutoff = (fraction: number) => Math.abs(Math.trunc(total * fraction));

  const nodeCutoff = cutoff(options.nodeFraction);
  const large = nodes.filter(({ cum }) => Math.abs(cum) >= nodeCutoff);
  const dropped = nodes.length - large.length;
  nodes = large.sort(options.sortByCum ? byCum : byFlat);
  const candidates = nodes.length;
  if (options.nodeCount > 0) nodes = nodes.slice(0, options.nodeCount);
  keep(nodes);
  const { edgesOf } = options;
  if (edgesOf !== undefined) for (const node of nodes) node.shown = edgesOf.test(node.name);
  addUp(profile, index, graph, true);
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
