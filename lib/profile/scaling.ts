/**
 * How many objects, or bytes, one sampled one stands for: an object of `size` bytes is sampled with probability
 * 1 - exp(-size / interval), so this is its inverse. Go's `scaleHeapSample`, in floating point and once a record;
 * 1 where nothing was counted or every allocation is sampled.
 */
export function scaleFactor(objects: number, bytes: number, sampleInterval: number): number {
  if (objects === 0 || bytes === 0 || sampleInterval <= 1) return 1;
  return 1 / (1 - Math.exp(-bytes / objects / sampleInterval));
}
