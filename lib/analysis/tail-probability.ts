/** Probability that a standard normal deviate is `z` or more; relative error below 1e-12 for `z` from 0 to 37. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  // This far out, the density underflows to 0.
  if (density === 0) return 0;
  return z < SERIES_UNTIL ? 0.5 - density * bodySeries(z) : density / tailFraction(z);
}

// Below this, the subtraction from 0.5 loses less than three digits; above it, FRACTION_TERMS terms of the fraction suffice.
const SERIES_UNTIL = 2.5;
const FRACTION_TERMS = 120;

/**
 * The probability between 0 and `z`, divided by the density: y = ∫ exp((z² - t²)/2) dt solves y' = 1 + zy, whose series is
 * z + z³/3 + z⁵/(3·5) + z⁷/(3·5·7) + …, all terms positive.
 */
function bodySeries(z: number): number {
  let term = z;
  let sum = z;
  for (let odd = 3; term > sum * Number.EPSILON; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return sum;
}

/** Density divided by tail: Laplace's continued fraction z + 1/(z + 2/(z + 3/(z + …))), evaluated from its end. */
function tailFraction(z: number): number {
  let fraction = z;
  for (let n = FRACTION_TERMS; n > 0; n--) fraction = z + n / fraction;
  return fraction;
}

/**
 * Probability that Student's t with the given degrees of freedom (1, 2, …) is `t` or more, by the finite sums of
 * Abramowitz and Stegun 26.7; absolute error about 1e-15.
 */
export function studentTail(t: number, degrees: number): number {
  if (t < 0) return 1 - studentTail(-t, degrees);
  if (t === Number.POSITIVE_INFINITY) return 0;
  const theta = Math.atan2(t, Math.sqrt(degrees));
  const cos = Math.cos(theta);
  const odd = degrees % 2 === 1;
  let term = odd ? cos : 1;
  let sum = odd && degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < degrees; k += 2) {
    term *= ((k - 1) / k) * cos * cos;
    sum += term;
  }
  const within = odd ? (2 / Math.PI) * (theta + Math.sin(theta) * sum) : Math.sin(theta) * sum;
  return Math.max(0, (1 - within) / 2);
}
