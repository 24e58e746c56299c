/** Whether a 64-bit integer is another one as a number. */
export function isRounded(exact: bigint): boolean {
  return exact !== 0n && BigInt(Number(exact)) !== exact;
}

/** The exact value, if it still belongs to the figure: a figure may have been changed alone. */
export function exactly(value: number, exact: bigint | undefined): number | bigint {
  return exact !== undefined && Number(exact) === value ? exact : value;
}
