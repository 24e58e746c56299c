// Memory outside V8's heap that its objects hold (Buffers and ArrayBuffers among it), in the comments of a profile: heap
// profiles show nothing of it, and it may be what grows.

const PREFIX = 'memprof: external memory, bytes: ';

export function externalComment(bytes: number): string {
  return PREFIX + bytes;
}

/** Undefined where the profile does not say. */
export function externalBytesOf(comments: readonly string[]): number | undefined {
  return bytesAfter(PREFIX, comments);
}

/** A page with the profile of Buffers is beside that of the heap. */
export const BUFFERS_COMMENT = 'memprof: Buffers are profiled, too';

const RESIDENT = 'memprof: resident memory, bytes: ';

export function residentComment(bytes: number): string {
  return RESIDENT + bytes;
}

/** Undefined where the profile does not say. */
export function residentBytesOf(comments: readonly string[]): number | undefined {
  return bytesAfter(RESIDENT, comments);
}

const BUFFERS_OFF = 'memprof: Buffers are not profiled, see start({ buffers }); they take ';
const AT_MOST = 'at most ';

/** `isExact`: otherwise they take no more than that. */
export function buffersOffComment({ bytes, isExact }: { bytes: number; isExact: boolean }): string {
  return `${BUFFERS_OFF}${isExact ? '' : AT_MOST}${bytes} bytes`;
}

/** What Buffers took in a program that did not profile them. Undefined where it did, or the profile does not say. */
export function unprofiledBuffersOf(comments: readonly string[]): number | undefined {
  return bytesAfter(BUFFERS_OFF, comments) ?? bytesAfter(BUFFERS_OFF + AT_MOST, comments);
}

function bytesAfter(prefix: string, comments: readonly string[]): number | undefined {
  const found = comments.find((each) => each.startsWith(prefix));
  const digits = found?.slice(prefix.length).replace(/ bytes$/, '');
  return digits !== undefined && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}
