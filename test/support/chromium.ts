import { type Browser, chromium } from 'playwright-core';
import { findTool } from './tools.js';

/** Debian's Chromium, with WebGL in software. Tests that use it say `needs('chromium')`. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: findTool('chromium')!,
    args: [
      '--headless',
      '--no-sandbox',
      '--no-first-run',
      '--enable-unsafe-swiftshader',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
