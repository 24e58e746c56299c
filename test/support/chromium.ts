import { type Browser, chromium } from 'playwright-core';
import { needChromium } from '../cli-support.js';

/** Debian's Chromium, with WebGL in software. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: needChromium(),
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
