import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { root } from './run.js';

const file = path.join(root, 'node_modules/axe-core/axe.min.js');

/** Options of a test that needs axe-core. */
export const needsAxe = { skip: existsSync(file) ? false : 'axe-core is not installed: npm ci' };

interface Axe {
  run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
}

/** What axe-core finds at this page, of any impact. */
export async function findingsOf(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(file, 'utf8'));
  return await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run();
    return violations.map(
      ({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(' ')}`,
    );
  });
}

export const isSerious = (finding: string): boolean => /^(serious|critical)/.test(finding);
