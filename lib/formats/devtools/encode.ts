import { meterOnThread } from '../../addon/meter-on-thread.js';
import type { ProfileData, ProfileFrame } from '../../profile/model.js';
import { columnOf } from '../../profile/sample-type.js';

/** `Runtime.CallFrame` of the DevTools protocol. */
export interface DevToolsCallFrame {
  functionName: string;
  scriptId: string;
  url: string;
  /** 0-based; -1 if unknown. */
  lineNumber: number;
  columnNumber: number;
}

/** `HeapProfiler.SamplingHeapProfileNode` of the DevTools protocol. */
export interface DevToolsNode {
  callFrame: DevToolsCallFrame;
  /** Of the node without its children. */
  selfSize: number;
  id: number;
  children: DevToolsNode[];
}

/** `HeapProfiler.SamplingHeapProfile` of the DevTools protocol: what a `.heapprofile` file has in it. */
export interface DevToolsHeapProfile {
  head: DevToolsNode;
  samples: { size: number; nodeId: number; ordinal: number }[];
}

/**
 * A profile as Chrome DevTools read it (`.heapprofile`): a call tree with sizes. `sampleType` is the value they are of:
 * `inuse_space`, for instance; counts take the place of bytes where it counts objects.
 *
 * Throws `ERR_MEMPROF_OUT_OF_RANGE` if the profile has no such value.
 */
export function toHeapProfile(
  profile: ProfileData,
  sampleType = profile.defaultSampleType,
): DevToolsHeapProfile {
  const column = columnOf(profile, sampleType);
  const tree = new CallTree();
  const samples: DevToolsHeapProfile['samples'] = [];
  for (const { stack, values } of profile.samples) {
    const size = Math.trunc(values[column]!);
    if (size === 0) continue;
    const node = tree.nodeOf(stack);
    node.selfSize += size;
    samples.push({ size, nodeId: node.id, ordinal: samples.length + 1 });
  }
  return { head: tree.head, samples };
}

class CallTree {
  readonly head: DevToolsNode;
  readonly #callFrames = new Map<Readonly<ProfileFrame>, DevToolsCallFrame>();
  // Frames that look alike may be different objects: what counts is what is written of them.
  readonly #callFramesByKey = new Map<string, DevToolsCallFrame>();
  readonly #children = new Map<DevToolsNode, Map<DevToolsCallFrame, DevToolsNode>>();
  readonly #scripts = new Map<string, string>();
  #nodes = 0;

  constructor() {
    this.head = this.#addNode({
      functionName: '(root)',
      scriptId: '0',
      url: '',
      lineNumber: -1,
      columnNumber: -1,
    });
  }

  nodeOf(stack: readonly Readonly<ProfileFrame>[]): DevToolsNode {
    let node = this.head;
    for (let i = stack.length - 1; i >= 0; i--) node = this.#childOf(node, this.#callFrameOf(stack[i]!));
    return node;
  }

  #childOf(parent: DevToolsNode, callFrame: DevToolsCallFrame): DevToolsNode {
    const children = this.#children.get(parent)!;
    let child = children.get(callFrame);
    if (child === undefined) {
      child = this.#addNode(callFrame);
      children.set(callFrame, child);
      parent.children.push(child);
    }
    return child;
  }

  #addNode(callFrame: DevToolsCallFrame): DevToolsNode {
    const node = { callFrame, selfSize: 0, id: ++this.#nodes, children: [] };
    this.#children.set(node, new Map());
    return node;
  }

  #callFrameOf(frame: Readonly<ProfileFrame>): DevToolsCallFrame {
    let callFrame = this.#callFrames.get(frame);
    if (callFrame === undefined) {
      const { functionName, fileName, lineNumber, columnNumber = 0, address } = frame;
      const name = functionName || `0x${address.toString(16)}`;
      const key = `${lineNumber}:${columnNumber}:${name}\0${fileName}`;
      callFrame = this.#callFramesByKey.get(key) ?? {
        functionName: name,
        scriptId: this.#scriptIdOf(fileName),
        url: fileName,
        lineNumber: lineNumber - 1,
        columnNumber: columnNumber - 1,
      };
      this.#callFramesByKey.set(key, callFrame);
      this.#callFrames.set(frame, callFrame);
    }
    return callFrame;
  }

  #scriptIdOf(fileName: string): string {
    if (fileName === '') return '0';
    let id = this.#scripts.get(fileName);
    if (id === undefined) {
      id = String(this.#scripts.size + 1);
      this.#scripts.set(fileName, id);
    }
    return id;
  }
}

/** As JSON, without recursion: a call tree may be deeper than the stack of `JSON.stringify`. */
export function formatHeapProfile(profile: ProfileData, sampleType?: string): string {
  return meterOnThread(() => formatTree(profile, sampleType));
}

function formatTree(profile: ProfileData, sampleType?: string): string {
  const { head, samples } = toHeapProfile(profile, sampleType);
  const parts: string[] = ['{"head":'];
  const open: { node: DevToolsNode; next: number }[] = [{ node: head, next: 0 }];
  parts.push(startOf(head));
  while (open.length > 0) {
    const top = open[open.length - 1]!;
    const child = top.node.children[top.next++];
    if (child === undefined) {
      parts.push(']}');
      open.pop();
    } else {
      parts.push(top.next > 1 ? ',' : '', startOf(child));
      open.push({ node: child, next: 0 });
    }
  }
  parts.push(',"samples":', JSON.stringify(samples), '}');
  return parts.join('');
}

function startOf({ callFrame, selfSize, id }: DevToolsNode): string {
  return `{"callFrame":${JSON.stringify(callFrame)},"selfSize":${selfSize},"id":${id},"children":[`;
}
