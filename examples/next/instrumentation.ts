// Next.js calls this when the server starts, before the first request. Settings come from the environment, such as MEMPROF_HTTP=6060.
export async function register() {
  if (process.env.NEXT_RUNTIME === 'nodejs') await import('memprof/register');
}
