import type { NextConfig } from 'next';

export default {
  // There is one memprof for the whole process, and it has files beside its code, so it stays out of the bundle.
  serverExternalPackages: ['memprof'],
  // The server with all that it needs, in .next/standalone: what goes into a container.
  output: 'standalone',
  // With these, a profile shows lines of the sources. Next.js leaves them out of .next/standalone; `npm run build` copies them.
  experimental: { serverSourceMaps: true },
} satisfies NextConfig;
